import type { Generated } from "kysely";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKysely } from "../dist/index.js";
import { describeMatrix, type TestDatabase } from "../dist/testing.js";

interface Tables {
  contacts: { id: Generated<number>; email: string; seen: Date | null; properties: string };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  async function open() {
    const opened: TestDatabase = await databases.open();
    await opened.database.query(`
      create table ${opened.schema}.contacts (
        id int8 generated always as identity primary key, email text unique, seen timestamptz, properties jsonb not null default '{}'
      )`);
    return { ...opened, kysely: createKysely<Tables>(opened.database).withSchema(opened.schema) };
  }
  const contact = (email: string) => ({ email, seen: new Date(0), properties: '{"a":1}' });

  it("inserts, selects, updates and deletes, and counts what changed", async () => {
    const { kysely } = await open();
    const inserted = await kysely
      .insertInto("contacts")
      .values([contact("a@x"), contact("b@x")])
      .returning("id")
      .execute();
    expect(inserted).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await kysely.selectFrom("contacts").selectAll().where("email", "=", "a@x").executeTakeFirst()).toEqual({
      id: 1,
      email: "a@x",
      seen: new Date(0),
      properties: { a: 1 },
    });
    expect((await kysely.updateTable("contacts").set({ seen: null }).executeTakeFirst()).numUpdatedRows).toBe(2n);
    expect((await kysely.deleteFrom("contacts").where("id", "in", [2, 3]).executeTakeFirst()).numDeletedRows).toBe(1n);
  });

  it("commits a transaction, and rolls one back that throws", async () => {
    const { kysely } = await open();
    const answer = await kysely.transaction().execute(async (transaction) => {
      await transaction.insertInto("contacts").values(contact("kept@x")).execute();
      return "answer";
    });
    expect(answer).toBe("answer");
    const outcome = kysely
      .transaction()
      .setIsolationLevel("serializable")
      .execute(async (transaction) => {
        await transaction.insertInto("contacts").values(contact("lost@x")).execute();
        const { rows } = await sql<{ level: string }>`select current_setting('transaction_isolation') as level`.execute(
          transaction,
        );
        throw new Error(`rolled back at ${rows[0]?.level}`);
      });
    await expect(outcome).rejects.toThrow("rolled back at serializable");
    expect(await kysely.selectFrom("contacts").select("email").execute()).toEqual([{ email: "kept@x" }]);
  });

  it("answers an error, and not a deadlock, when the outer handle or the database is used inside a transaction", async () => {
    const { kysely, database } = await open();
    const codes = await kysely.transaction().execute(async (transaction) => {
      await transaction.insertInto("contacts").values(contact("a@x")).execute();
      const calls = [
        () => kysely.selectFrom("contacts").selectAll().execute(),
        () => database.query("select 1"),
        () => kysely.transaction().execute(async () => undefined),
      ];
      const answers: unknown[] = [];
      for (const call of calls) answers.push(await call().catch((error: { code?: string }) => error.code));
      return answers;
    });
    expect(codes).toEqual(["nested_query", "nested_query", "nested_query"]);
    expect(await kysely.selectFrom("contacts").select("email").execute()).toEqual([{ email: "a@x" }]);
  });

  it("runs other queries beside a transaction of another caller", async () => {
    const { kysely } = await open();
    await Promise.all([
      ...Array.from({ length: 10 }, (_, number) =>
        kysely.transaction().execute((transaction) =>
          transaction
            .insertInto("contacts")
            .values(contact(`t${number}`))
            .execute(),
        ),
      ),
      ...Array.from({ length: 10 }, (_, number) =>
        kysely
          .insertInto("contacts")
          .values(contact(`q${number}`))
          .execute(),
      ),
    ]);
    const { count } = await kysely
      .selectFrom("contacts")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    expect(count).toBe(20);
  });

  it("works inside a transaction of the database, beside plain statements", async () => {
    const { database, schema, kysely } = await open();
    const outcome = database.transaction(async (transaction) => {
      const inside = createKysely<Tables>(transaction).withSchema(schema);
      await inside.insertInto("contacts").values(contact("a@x")).execute();
      expect(await transaction.query(`select email from ${schema}.contacts`)).toEqual([{ email: "a@x" }]);
      await expect(inside.transaction().execute(async () => undefined)).rejects.toMatchObject({ code: "nested_query" });
      throw new Error("rolled back");
    });
    await expect(outcome).rejects.toThrow("rolled back");
    expect(await kysely.selectFrom("contacts").selectAll().execute()).toEqual([]);
  });

  it("keeps savepoints in a controlled transaction", async () => {
    const { kysely } = await open();
    const controlled = await kysely.startTransaction().execute();
    await controlled.insertInto("contacts").values(contact("a@x")).execute();
    const saved = await controlled.savepoint("here").execute();
    await saved.insertInto("contacts").values(contact("b@x")).execute();
    const back = await saved.rollbackToSavepoint("here").execute();
    await back.commit().execute();
    expect(await kysely.selectFrom("contacts").select("email").execute()).toEqual([{ email: "a@x" }]);
  });

  it("answers the error of a commit that fails, and goes on", async () => {
    const { kysely, schema } = await open();
    await sql`alter table ${sql.ref(`${schema}.contacts`)} add constraint late unique (seen) deferrable initially deferred`.execute(
      kysely,
    );
    const outcome = kysely.transaction().execute((transaction) =>
      transaction
        .insertInto("contacts")
        .values([contact("a@x"), contact("b@x")])
        .execute(),
    );
    await expect(outcome).rejects.toMatchObject({ sqlState: "23505", constraint: "late" });
    expect(await kysely.selectFrom("contacts").selectAll().execute()).toEqual([]);
  });

  it("leaves the database open when it is destroyed", async () => {
    const { kysely, database } = await open();
    await kysely.destroy();
    expect(await database.query("select 1 as still")).toEqual([{ still: 1 }]);
  });
});
