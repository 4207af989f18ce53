import { expect, it } from "vitest";
import { fromPglite, fromPgliteTransaction, isInsideTransaction } from "../dist/index.js";
import { describeOwnPglite } from "./own-pglite.js";
import { until } from "./until.js";

describeOwnPglite(({ databases, pglite }) => {
  it("leaves the caller's object open, and refuses what comes after its own close", async () => {
    const database = fromPglite(pglite());
    await database.listen("orders", () => undefined);
    const last = database.query("select 1 as last");
    await database.close();
    expect(await last).toEqual([{ last: 1 }]);
    for (const call of [
      () => database.query("select 1"),
      () => database.transaction(async () => undefined),
      () => database.listen("orders", () => undefined),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "closed" });
    }
    expect((await pglite().query("select 1 as open")).rows).toEqual([{ open: 1 }]);
    expect((await pglite().query("select pg_listening_channels()")).rows).toEqual([]);
  });

  it("leaves the caller's own values and listeners as they are", async () => {
    const { database, schema } = await databases.open();
    const heard: string[] = [];
    const stopOwn = await pglite().listen(schema, (payload) => heard.push(`own ${payload}`));
    const stop = await database.listen(schema, (payload) => heard.push(payload));
    await pglite().query(`select pg_notify('${schema}', 'first')`);
    await until(() => heard.length === 2);
    await stop();
    await database.query("select pg_notify($1, 'second')", [schema]);
    await until(() => heard.length === 3);
    await stopOwn();
    expect(heard.sort()).toEqual(["first", "own first", "own second"]);
    expect(await database.query("select date '2026-11-22' as day")).toEqual([{ day: "2026-11-22" }]);
    await database.query(`create type ${schema}.mood as enum ('calm')`);
    await pglite().refreshArrayTypes();
    expect(await database.query(`select array['calm']::${schema}.mood[] as moods`)).toEqual([{ moods: "{calm}" }]);
    expect((await pglite().query("select date '2026-11-22' as day")).rows).toEqual([{ day: new Date("2026-11-22") }]);
  });

  it("N1 writes inside the caller's transaction, which commits or rolls back, and waits for its end otherwise", async () => {
    const { database, schema } = await databases.open();
    await database.query(`create table ${schema}.things (id int8, seen bool, at timestamptz)`);
    const at = new Date("2026-11-22T01:43:59.123Z");
    const insert = `insert into ${schema}.things values ($1, $2, $3) returning *`;
    const refused = pglite().transaction(async (tx) => {
      await fromPgliteTransaction(tx).query(insert, [1, true, at]);
      throw new Error("out of stock");
    });
    await expect(refused).rejects.toThrow("out of stock");
    expect(await database.query(`select * from ${schema}.things`)).toEqual([]);

    let beside: Promise<readonly unknown[]> | undefined;
    const kept = await pglite().transaction(async (tx) => {
      beside = database.query(`select id from ${schema}.things`);
      expect(isInsideTransaction(database)).toBe(false);
      expect(await fromPgliteTransaction(tx).query(insert, [2, true, at])).toEqual([{ id: 2, seen: true, at }]);
      await expect(fromPgliteTransaction(tx).query("select $1::text", [{}])).rejects.toMatchObject({
        code: "invalid_parameter",
      });
      return fromPgliteTransaction(tx);
    });
    expect(await beside).toEqual([{ id: 2 }]);
    await expect(kept.query("select 1")).rejects.toMatchObject({ code: "transaction_closed" });
  });
});
