import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeMatrix } from "../dist/testing.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("answers rows", async () => {
    const { database, schema } = await databases.open();
    await database.query(`create table ${schema}.t (a int8)`);
    expect(await database.query("select 1::int8 as a")).toEqual([{ a: 1 }]);
  });
});
