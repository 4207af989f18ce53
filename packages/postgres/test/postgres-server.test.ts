import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { inspect, promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClientTransactions, type Database, fromPool, openDatabase } from "../dist/index.js";
import { describeMatrix, findPostgresBinaries, type PrivatePostgres, startPrivatePostgres } from "../dist/testing.js";
import { until } from "./until.js";

const testing = new URL("../dist/testing.js", import.meta.url).href;

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it("hears notifications again after the server ended the listening connection, and says that some may be missing", async () => {
    const { database, schema } = await databases.open();
    const heard: string[] = [];
    const stop = await database.listen(schema, (payload) => heard.push(payload));
    const killed = await database.query<{ killed: boolean }>(
      `select pg_terminate_backend(pid) as killed from pg_stat_activity
       where datname = current_database() and query = $1`,
      [`LISTEN "${schema}"`],
    );
    expect(killed).toEqual([{ killed: true }]);
    await until(() => heard.includes(""));
    await database.query("select pg_notify($1, 'after')", [schema]);
    await until(() => heard.includes("after"));
    await stop();
  });

  it("fails a transaction whose connection is ended, rolls it back, and goes on with another connection", async () => {
    const { database, schema, url } = await databases.open();
    await database.query(`create table ${schema}.t (id int8)`);
    let called = false;
    const outcome = database.transaction(async (transaction) => {
      transaction.afterCommit(() => {
        called = true;
      });
      await transaction.query(`insert into ${schema}.t values (1)`);
      const [own] = await transaction.query<{ pid: number }>("select pg_backend_pid() as pid");
      const other = new pg.Client({ connectionString: databaseUrl(url) });
      await other.connect();
      await other.query("select pg_terminate_backend($1)", [own?.pid]);
      await other.end();
      await transaction.query("select 1");
    });
    await expect(outcome).rejects.toMatchObject({ name: "DatabaseError", code: "connection_failed" });
    expect(called).toBe(false);
    expect(await database.query(`select * from ${schema}.t`)).toEqual([]);
  });

  it("keeps what comes again prepared on a client that the caller runs a transaction on", async () => {
    const { url } = await databases.open();
    const pool = new pg.Pool({ connectionString: databaseUrl(url), max: 1 });
    const transactionOn = createClientTransactions();
    const client = await pool.connect();
    for (let round = 1; round <= 4; round += 1) {
      await client.query("begin");
      const transaction = transactionOn(client);
      expect(await transaction.query("select $1::int8 + 1 as sum", [round])).toEqual([{ sum: round + 1 }]);
      await client.query("commit");
    }
    const { rows } = await client.query("select statement from pg_prepared_statements");
    expect(rows).toEqual([{ statement: "select $1::int8 + 1 as sum" }]);
    await expect(transactionOn(client).query("select 1 / $1::int8", [0])).rejects.toMatchObject({
      name: "DatabaseError",
      sqlState: "22012",
    });
    client.release();
    await pool.end();
  });

  it("uses a pool that the caller made, leaves its type parsers alone, and leaves it open", async () => {
    const { url, schema } = await databases.open();
    const pool = new pg.Pool({ connectionString: databaseUrl(url), max: 3 });
    const database = fromPool(pool);
    expect(await database.query("select 1::int8 as a, $1::timestamptz as b", [new Date(0)])).toEqual([
      { a: 1, b: new Date(0) },
    ]);
    expect((await pool.query("select 1::int8 as a")).rows).toEqual([{ a: "1" }]);
    const heard: string[] = [];
    await database.listen(schema, (payload) => heard.push(payload));
    await pool.query(`notify "${schema}", 'hello'`);
    await until(() => heard.length > 0);
    await database.close();
    await expect(database.query("select 1")).rejects.toMatchObject({ code: "closed" });
    expect((await pool.query("select 2 as still")).rows).toEqual([{ still: 2 }]);
    expect(pool.totalCount - pool.idleCount).toBe(0);
    await pool.end();
  });

  it("gives every connection back, whatever became of the work", async () => {
    const { url } = await databases.open();
    const pool = new pg.Pool({ connectionString: databaseUrl(url), max: 1, connectionTimeoutMillis: 5_000 });
    const database = fromPool(pool);
    const failing = [
      () => database.query("select 1/0"),
      () => database.query("select $1::text", [{}]),
      () => database.query("select 9007199254740993::int8"),
      () => database.transaction(() => Promise.reject(new Error("no"))),
      () => database.transaction((transaction) => transaction.query("select 1/0").catch(() => undefined)),
      () => database.transaction((transaction) => transaction.query("rollback; select 1/0")),
    ];
    for (const fail of failing) {
      await expect(fail()).rejects.toThrow();
      expect(pool.idleCount + pool.totalCount === 0 || pool.idleCount === pool.totalCount).toBe(true);
    }
    expect(await database.query("select 1 as fine")).toEqual([{ fine: 1 }]);
    await pool.end();
  });

  it("waits for running work when it closes, and refuses new work", async () => {
    const { url } = await databases.open();
    const database = await openDatabase(databaseUrl(url));
    const slow = database.query("select 'done' as state from pg_sleep(0.2)");
    const closed = database.close();
    await expect(database.query("select 1")).rejects.toMatchObject({ code: "closed" });
    expect(await slow).toEqual([{ state: "done" }]);
    await closed;
  });
});

describe("connecting", () => {
  it.each([
    ["mysql://u:hunter2@localhost/db", "invalid_url"],
    ["postgres://u:hunter2@127.0.0.1:port/db", "invalid_url"],
    ["postgres://u:hunter2@127.0.0.1:1/db", "connection_failed"],
    ["postgres://u:hunter2@does-not-exist.invalid/db", "connection_failed"],
  ])("fails for an address that does not work, and keeps the password out of the error", async (url, code) => {
    const lines: unknown[] = [];
    const log = (fields: object, message: string) => lines.push(fields, message);
    const logger = { debug: log, info: log, warn: log, error: log };
    const error = await openDatabase(url, { logger }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "DatabaseError", code });
    expect(inspect([error, lines], { depth: 20, showHidden: true })).not.toContain("hunter2");
  });

  it.each([
    [
      "postgres://u:hunter2@localhost/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
      /\/nowhere\/ca\.pem .*ENOENT/,
    ],
    ["postgres://u:hunt/er?2@localhost/db", /percent-encoded/],
  ])("says what to mend in a URL that cannot be read", async (url, why) => {
    const error = await openDatabase(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "invalid_url", message: expect.stringMatching(why) });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/hunt/);
  });
});

describe.skipIf(findPostgresBinaries() === undefined)("a private server (needs initdb and postgres)", () => {
  let server: PrivatePostgres;
  let database: Database;
  beforeAll(async () => {
    server = await startPrivatePostgres();
    database = await openDatabase(server.url, { poolSize: 3 });
  });
  afterAll(async () => {
    await database?.close();
    await server?.stop();
  });

  it("dies and comes back without ending the process that uses it", async () => {
    const heard: string[] = [];
    await database.listen("channel", (payload) => heard.push(payload));
    await database.query("create table kept (id int8)");
    await Promise.all([database.query("select 1"), database.query("select 1")]);
    const pending = database.query("select pg_sleep(60)").catch((error: unknown) => error);
    const during = database
      .transaction(async (transaction) => {
        await transaction.query("insert into kept values (1)");
        await server.kill();
        await transaction.query("insert into kept values (2)");
      })
      .catch((error: unknown) => error);
    expect(await during).toMatchObject({ code: "connection_failed" });
    expect(await pending).toMatchObject({ code: "connection_failed" });
    await expect(database.query("select 1")).rejects.toMatchObject({ code: "connection_failed" });

    await server.restart();
    expect(await database.query("select * from kept")).toEqual([]);
    await until(() => heard.includes(""));
    await database.query("select pg_notify('channel', 'back')");
    await until(() => heard.includes("back"));
  });

  it("goes when the process that started it is killed", async () => {
    const child = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { startPrivatePostgres } from ${JSON.stringify(testing)};
       const server = await startPrivatePostgres();
       console.log(server.url);
       setInterval(() => {}, 1000);`,
    ]);
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
      child.once("exit", () => reject(new Error("the child ended early")));
    });
    const [row] = await query(url, "show data_directory");
    child.kill("SIGKILL");
    await until(() => !existsSync(row?.data_directory ?? ""));
    await expect(query(url, "select 1")).rejects.toThrow();
  });

  it("stops, and takes its files along", async () => {
    const own = await startPrivatePostgres({ fsync: true, settings: { max_connections: "12" } });
    const rows = await Promise.all(
      ["show fsync", "show max_connections", "show data_directory"].map((sql) => query(own.url, sql)),
    );
    expect(rows.flat()).toMatchObject([{ fsync: "on" }, { max_connections: "12" }, {}]);
    await own.stop();
    expect(existsSync(rows[2]?.[0]?.data_directory ?? "")).toBe(false);
    const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
    expect(stdout).not.toContain(rows[2]?.[0]?.data_directory ?? "none");
  });
});

async function query(url: string, sql: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(url: string | undefined): string {
  if (url === undefined) throw new Error("a Postgres database has a URL");
  return url;
}
