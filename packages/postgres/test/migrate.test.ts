import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Migration, migrate, openDatabase } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";
import { until } from "./until.js";

const program = fileURLToPath(new URL("./programs/migrate.mjs", import.meta.url));

function step(id: string, sql: (schema: string) => string): Migration {
  return {
    id,
    async up(transaction, schema) {
      await transaction.query(sql(schema));
    },
  };
}

const first = step(
  "0001-things",
  (schema) => `create table ${schema}.things (id int8); create index on ${schema}.things (id)`,
);
const second = step("0002-names", (schema) => `alter table ${schema}.things add column name text`);

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("applies what is missing, in order, once", async () => {
    const { database, schema } = await databases.open();
    const options = { schema, component: "dispatcher", migrations: [first] };
    expect(await migrate(database, options)).toEqual(["0001-things"]);
    expect(await migrate(database, options)).toEqual([]);
    expect(await migrate(database, { ...options, migrations: [first, second] })).toEqual(["0002-names"]);
    expect(await database.query(`select component, position, id from ${schema}.migrations order by position`)).toEqual([
      { component: "dispatcher", position: 1, id: "0001-things" },
      { component: "dispatcher", position: 2, id: "0002-names" },
    ]);
    await database.query(`insert into ${schema}.things (id, name) values (1, 'a')`);
  });

  it("makes the schema, and keeps components apart", async () => {
    const { database, schema } = await databases.open();
    const fresh = `${schema}_fresh`;
    await migrate(database, { schema: fresh, component: "dispatcher", migrations: [first] });
    const other = step("0001-things", (name) => `create table ${name}.others (id int8)`);
    expect(await migrate(database, { schema: fresh, component: "engine", migrations: [other] })).toEqual([
      "0001-things",
    ]);
    expect(await database.query(`select * from ${fresh}.others`)).toEqual([]);
  });

  it("leaves nothing of a migration that fails, keeps the ones before it, and goes on after a repair", async () => {
    const { database, schema } = await databases.open();
    const broken = step("0002-names", (name) => `create table ${name}.half (id int8); select 1/0`);
    const options = { schema, component: "dispatcher" };
    const error = await migrate(database, { ...options, migrations: [first, broken] }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "DatabaseError", code: "migration_failed", sqlState: "22012" });
    expect(String(error)).toContain("0002-names of dispatcher");
    expect(await database.query("select to_regclass($1)::text as half", [`${schema}.half`])).toEqual([{ half: null }]);
    expect(await database.query(`select id from ${schema}.migrations`)).toEqual([{ id: "0001-things" }]);
    expect(await migrate(database, { ...options, migrations: [first, second] })).toEqual(["0002-names"]);
  });

  it.each<[string, Migration[]]>([
    ["another order", [second, first]],
    ["a changed id", [step("0001-renamed", () => "select 1"), second]],
    ["one put before", [step("0000-earlier", () => "select 1"), first, second]],
    ["the same id twice", [first, second, second]],
  ])("refuses %s than what was applied, and changes nothing", async (_title, migrations) => {
    const { database, schema } = await databases.open();
    await migrate(database, { schema, component: "c", migrations: [first, second] });
    const outcome = migrate(database, { schema, component: "c", migrations });
    await expect(outcome).rejects.toMatchObject({ code: "migration_failed" });
    expect(await database.query(`select count(*) from ${schema}.migrations`)).toEqual([{ count: 2 }]);
  });

  it("lets an older process start beside a newer one that has migrated further", async () => {
    const { database, schema } = await databases.open();
    await migrate(database, { schema, component: "c", migrations: [first, second] });
    expect(await migrate(database, { schema, component: "c", migrations: [first] })).toEqual([]);
  });

  it.each(["Hookline", "a-b", "a;drop table x", "", "1a", "pg_own", "a".repeat(64)])(
    "refuses the schema name %j",
    async (schema) => {
      const { database } = await databases.open();
      const outcome = migrate(database, { schema, component: "c", migrations: [first] });
      await expect(outcome).rejects.toMatchObject({ code: "invalid_schema" });
    },
  );
});

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("applies each migration once when four processes and two pools start together", async () => {
    const { database, schema, url = "" } = await databases.open();
    await database.query(`create table ${schema}.log (number int4)`);
    const processes = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, [program, url, schema]));
    const outputs = await Promise.all(processes);
    const applied = outputs.flatMap(({ stdout }): string[] => JSON.parse(stdout));
    expect(applied.sort()).toEqual(["0001", "0002", "0003", "0004", "0005"]);
    expect(await database.query(`select number from ${schema}.log order by number`)).toHaveLength(5);

    const pools = await Promise.all([openDatabase(url), openDatabase(url)]);
    const schemaOfPools = `${schema}_pools`;
    const options = { schema: schemaOfPools, component: "c", migrations: [first, second] };
    const answers = await Promise.all([...pools, ...pools].map((pool) => migrate(pool, options)));
    expect(answers.flat().sort()).toEqual(["0001-things", "0002-names"]);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it("sees what was applied while it waited, also for a role whose transactions are serializable by default", async () => {
    const { database, schema, url = "" } = await databases.open();
    const serializable = new URL(url);
    serializable.searchParams.set("options", "-c default_transaction_isolation=serializable");
    const pools = await Promise.all([openDatabase(serializable.href), openDatabase(serializable.href)]);
    const options = { schema, component: "c", migrations: [first, second] };
    const answers = await database.transaction(async (holder) => {
      await holder.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`hookline migrations ${schema}`]);
      const migrating = Promise.all(pools.map((pool) => migrate(pool, options)));
      await until(async () => {
        const waiting = await holder.query("select from pg_locks where locktype = 'advisory' and not granted");
        return waiting.length === 2;
      });
      return { migrating };
    });
    expect((await answers.migrating).flat().sort()).toEqual(["0001-things", "0002-names"]);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it("works for a role that may not create schemas, once the schema is there", async () => {
    const { database, schema, url = "" } = await databases.open();
    const role = `limited_${schema}`;
    await database.query(`create role ${role} login; grant usage, create on schema ${schema} to ${role}`);
    const limited = new URL(url);
    limited.username = role;
    const own = await openDatabase(limited.href);
    expect(await migrate(own, { schema, component: "c", migrations: [first] })).toEqual(["0001-things"]);
    await own.close();
    await database.query(`drop owned by ${role}; drop role ${role}`);
  });
});
