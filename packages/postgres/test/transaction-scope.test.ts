import { AsyncResource } from "node:async_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isInsideTransaction } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("knows whether the code that asks runs inside a transaction of this database", async () => {
    const { database } = await databases.open();
    let later: () => boolean = () => true;
    const inside = await database.transaction(async () => {
      await Promise.resolve();
      later = AsyncResource.bind(() => isInsideTransaction(database));
      return [isInsideTransaction(database), later()];
    });
    expect(inside).toEqual([true, true]);
    expect([isInsideTransaction(database), later()]).toEqual([false, false]);
  });

  it("says false for a database that this package has not made", async () => {
    const { database } = await databases.open();
    const { kind, query, execute, transaction, listen, close } = database;
    const foreign = { kind, query, execute, transaction, listen, close };
    expect(await database.transaction(async () => isInsideTransaction(foreign))).toBe(false);
  });
});
