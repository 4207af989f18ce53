import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, fromPool, type Migration, migrate, openDatabase } from "../dist/index.js";
import { describeMatrix } from "../dist/testing.js";
import { until } from "./until.js";

const program = fileURLToPath(new URL("./programs/migrate-indexes.mjs", import.meta.url));
const byName = { name: "things_by_name", table: "things", definition: "(name, id)" };
const step: Migration = { id: "0001", indexes: [byName] };

async function makeThings({ query }: Pick<Database, "query">, schema: string, rows = 1000): Promise<void> {
  await query(`create table ${schema}.things (id int8, name text)`);
  await query(`insert into ${schema}.things select n, 'thing ' || n % 10 from generate_series(1, ${rows}) as t(n)`);
}

const indexesOf = (database: Database, schema: string) =>
  database.query<{ name: string; valid: boolean }>(
    `select relname as name, indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
     where relnamespace = to_regnamespace($1) and relname not like 'migrations_%' order by relname`,
    [schema],
  );
const VALID = [{ name: "things_by_name", valid: true }];

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it.each([
    ["an empty table", 0],
    ["a table with rows", 1000],
  ])("builds the indexes of %s, between other migrations, once", async (_title, rows) => {
    const { database, schema } = await databases.open();
    const first: Migration = { id: "0000", up: (transaction) => makeThings(transaction, schema, rows) };
    const last: Migration = {
      id: "0002",
      async up(transaction) {
        await transaction.query(`alter table ${schema}.things add column note text`);
      },
    };
    const options = { schema, component: "c", migrations: [first, step, last] };
    expect(await migrate(database, options)).toEqual(["0000", "0001", "0002"]);
    expect(await migrate(database, options)).toEqual([]);
    expect(await indexesOf(database, schema)).toEqual(VALID);
  });

  it("says which migration cannot build its index, and goes on after a repair", async () => {
    const { database, schema } = await databases.open();
    await makeThings(database, schema);
    const unique: Migration = {
      id: "0001",
      indexes: [{ name: "things_by_name", table: "things", definition: "(name)", unique: true }],
    };
    const options = { schema, component: "c", migrations: [unique] };
    const error = await migrate(database, options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "migration_failed", sqlState: "23505" });
    expect(String(error)).toContain("0001 of c");
    await database.query(`delete from ${schema}.things where id > 10`);
    expect(await migrate(database, options)).toEqual(["0001"]);
    expect(await indexesOf(database, schema)).toEqual(VALID);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  /** Things, and a writer that has not committed: an index over them cannot be finished before it does. */
  async function openWithWriter() {
    const { database, schema, url = "" } = await databases.open();
    await makeThings(database, schema);
    let end = () => {};
    let written: Promise<void> = Promise.resolve();
    const writing = new Promise<void>((begun) => {
      const committed = new Promise<void>((resolve) => {
        end = resolve;
      });
      written = database.transaction(async (writer) => {
        await writer.query(`insert into ${schema}.things values (0, 'open')`);
        begun();
        await committed;
      });
    });
    await writing;
    const isBuilding = async () => {
      const found = await database.query(
        "select from pg_stat_progress_create_index where relid = $1::regclass and phase like 'waiting for writers%'",
        [`${schema}.things`],
      );
      return found.length > 0;
    };
    const commit = () => {
      end();
      return written;
    };
    return { database, schema, url, isBuilding, commit };
  }

  it("builds an index while others write to its table", async () => {
    const { database, schema, isBuilding, commit } = await openWithWriter();
    const migrated = migrate(database, { schema, component: "c", migrations: [step] });
    await until(isBuilding);
    await database.query(`insert into ${schema}.things values (-1, 'meanwhile')`);
    await commit();
    expect(await migrated).toEqual(["0001"]);
    expect(await indexesOf(database, schema)).toEqual(VALID);
  });

  it("builds an index once when four processes and two pools start together", async () => {
    const { database, schema, url, isBuilding, commit } = await openWithWriter();
    const processes = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, [program, url, schema]));
    const pools = await Promise.all([openDatabase(url), openDatabase(url)]);
    const answers = pools.map((pool) => migrate(pool, { schema, component: "c", migrations: [step] }));
    await until(isBuilding);
    await commit();
    const printed = (await Promise.all(processes)).flatMap(({ stdout }) => JSON.parse(stdout));
    expect([...printed, ...(await Promise.all(answers)).flat()]).toEqual(["0001"]);
    expect(await indexesOf(database, schema)).toEqual(VALID);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it.each(["goes on building for it", "was ended with it"])(
    "makes good what a process killed half-way has left, when the server %s",
    async (server) => {
      const { database, schema, url, isBuilding, commit } = await openWithWriter();
      const child = spawn(process.execPath, [program, url, schema], { stdio: "ignore" });
      await until(isBuilding);
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(await indexesOf(database, schema)).toEqual([{ name: "things_by_name", valid: false }]);
      if (server === "was ended with it") {
        await database.query("select pg_terminate_backend(pid) from pg_stat_progress_create_index");
        await until(async () => !(await isBuilding()));
      }
      const migrated = migrate(database, { schema, component: "c", migrations: [step] });
      await commit();
      expect(await migrated).toEqual(["0001"]);
      expect(await indexesOf(database, schema)).toEqual(VALID);
      expect(await database.query(`select id from ${schema}.migrations`)).toEqual([{ id: "0001" }]);
    },
  );

  it("says that it needs a second connection instead of waiting for one for ever", async () => {
    const { database, schema, url = "" } = await databases.open();
    await makeThings(database, schema);
    const pool = new Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 300 });
    const single = fromPool(pool);
    await expect(migrate(single, { schema, component: "c", migrations: [step] })).rejects.toMatchObject({
      code: "migration_failed",
    });
    await single.close();
    await pool.end();
    expect(await indexesOf(database, schema)).toEqual([]);
  });
});
