import { AsyncResource } from "node:async_hooks";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isInsideTransaction } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";

const outside = new AsyncResource("outside");

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

  it("knows it of a transaction that began while another one ended", async () => {
    const { database } = await databases.open();
    let second: Promise<boolean> | undefined;
    await database.transaction(async () => {
      // Its context is that of the first one: only what it opens itself counts once that has ended.
      second = outside.runInAsyncScope(() =>
        database.transaction(async () => {
          await Promise.resolve();
          return isInsideTransaction(database);
        }),
      );
    });
    expect(await second).toBe(true);
    expect(isInsideTransaction(database)).toBe(false);
    expect(await database.transaction(async () => isInsideTransaction(database))).toBe(true);
  });

  it("says false for a database that this package has not made", async () => {
    const { database } = await databases.open();
    const { kind, query, execute, transaction, listen, close } = database;
    const foreign = { kind, query, execute, transaction, listen, close };
    expect(await database.transaction(async () => isInsideTransaction(foreign))).toBe(false);
  });
});

it("has Node follow no promise while no transaction is open", { timeout: 120_000 }, async () => {
  // In a process of its own: the test runner has Node follow every promise.
  const program = new URL("programs/followed-promises.mjs", import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [program.pathname]);
  const { inside, ...outside } = JSON.parse(stdout);
  expect(outside).toEqual({ before: false, committed: false, rolledBack: false });
  // From Node 24 on, a storage costs nothing either way.
  if (Number.parseInt(process.versions.node, 10) < 24) expect(inside).toBe(true);
});
