import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, type DatabaseError, type DatabaseTransaction, isDatabaseError } from "../dist/index.js";
import { describeMatrix, type TestDatabases } from "../dist/testing.js";
import { describeOwnPglite } from "./own-pglite.js";
import { until } from "./until.js";

function conformance(databases: TestDatabases): void {
  async function openTable(columns = "id int8 primary key, name text"): Promise<{ database: Database; table: string }> {
    const { database, schema } = await databases.open();
    const table = `${schema}.things`;
    await database.query(`create table ${table} (${columns})`);
    return { database, table };
  }

  describe("values", () => {
    it.each<[string, unknown]>([
      ["7::int2", 7],
      ["7::int4", 7],
      ["9007199254740991::int8", 9007199254740991],
      ["count(*)", 1],
      ["1.5::float8", 1.5],
      ["'NaN'::float8", Number.NaN],
      ["1.10::numeric", "1.10"],
      ["true", true],
      ["false", false],
      ["null::text", null],
      ["'snow ☃ and 😀'::text", "snow ☃ and 😀"],
      ["'\\x00ff10'::bytea", new Uint8Array([0, 255, 16])],
      ["''::bytea", new Uint8Array()],
      [`'{"a":[1,null,"x"]}'::jsonb`, { a: [1, null, "x"] }],
      [`'"text"'::json`, "text"],
      ["'null'::jsonb", null],
      ["timestamptz '2026-11-22 01:43:59.123456+00'", new Date("2026-11-22T01:43:59.123Z")],
      ["timestamptz '2026-11-22 01:43:59+05:30'", new Date("2026-11-21T20:13:59Z")],
      ["timestamptz '2026-11-22 01:43:59.8+00'", new Date("2026-11-22T01:43:59.800Z")],
      ["timestamptz '0044-03-15 12:00:00+00 BC'", new Date("-000043-03-15T12:00:00Z")],
      ["timestamptz '12345-01-01 00:00:00+00'", new Date("+012345-01-01T00:00:00Z")],
      ["date '2026-11-22'", "2026-11-22"],
      ["timestamp '2026-11-22 01:43:59'", "2026-11-22 01:43:59"],
      ["'7f000001-0000-4000-8000-000000000000'::uuid", "7f000001-0000-4000-8000-000000000000"],
      ["array[1, null, 3]::int8[]", [1, null, 3]],
      ["array[]::text[]", []],
      [
        "array[[1,2],[3,4]]::int4[]",
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [
        `array['plain', 'with "quotes"', 'back\\slash', 'comma,brace}', '', 'NULL', null]`,
        ["plain", 'with "quotes"', "back\\slash", "comma,brace}", "", "NULL", null],
      ],
      ["array['\\x01'::bytea]", [new Uint8Array([1])]],
      [`array['{"a":"b,c"}'::jsonb]`, [{ a: "b,c" }]],
      ["array[true, false]", [true, false]],
      ["array[timestamptz '2026-01-01 00:00:00+00']", [new Date("2026-01-01T00:00:00Z")]],
      ["'[5:6]={1,2}'::int4[]", [1, 2]],
    ])("reads %s", async (expression, expected) => {
      const { database } = await databases.open();
      const [row] = await database.query<{ value: unknown }>(`select ${expression} as value`);
      expect(row?.value).toEqual(expected);
      if (expected instanceof Uint8Array) expect(Buffer.isBuffer(row?.value)).toBe(false);
    });

    it.each<[string, unknown]>([
      ["text", 'it\'s "quoted" \\ and ☃'],
      ["text", ""],
      ["int8", -5],
      ["int8", 9007199254740991],
      ["float8", 0.1],
      ["bool", false],
      ["text", null],
      ["timestamptz", new Date("2026-11-22T01:43:59.123Z")],
      ["timestamptz", new Date("-000043-03-15T12:00:00Z")],
      ["timestamptz", new Date("+012345-01-01T00:00:00Z")],
      ["bytea", new Uint8Array([0, 1, 255])],
      ["bytea", new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4)],
      ["text[]", ["a", 'b"c', "d\\e", "f,g", "{h}", "", "NULL", null]],
      ["int8[]", [1, null, 3]],
      ["float8[]", [1.5, -2]],
      ["bool[]", [true, false, null]],
      ["timestamptz[]", [new Date("2026-01-01T00:00:00Z"), null]],
      ["bytea[]", [new Uint8Array([0, 92, 34]), null]],
      ["text[]", []],
      [
        "int4[]",
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ])("takes and gives back a %s parameter", async (type, value) => {
      const { database } = await databases.open();
      // More than twice, so that the prepared statement is used as well.
      for (let turn = 0; turn < 4; turn++) {
        const [row] = await database.query<{ value: unknown }>(`select $1::${type} as value`, [value]);
        expect(row?.value).toEqual(value);
      }
    });

    it("takes undefined as null and JSON as text", async () => {
      const { database } = await databases.open();
      expect(await database.query("select $1::text as a, $2::jsonb as b", [undefined, '{"x":1}'])).toEqual([
        { a: null, b: { x: 1 } },
      ]);
    });

    it.each([
      ["an object", { a: 1 }],
      ["an invalid date", new Date(Number.NaN)],
      ["a function", () => 1],
    ])("refuses %s as a parameter", async (_title, value) => {
      const { database } = await databases.open();
      expect(await codeOf(database.query("select $1::text", [value]))).toBe("invalid_parameter");
      expect(await database.query("select 1 as still")).toEqual([{ still: 1 }]);
    });

    it("refuses a zero character in a text, and in a value", async () => {
      const { database } = await databases.open();
      expect(await codeOf(database.query("select 1 \0"))).toBe("invalid_parameter");
      expect(await stateOf(database.query("select $1::text", ["a\0b"]))).toBe("22021");
      expect(await database.query("select 1 as still")).toEqual([{ still: 1 }]);
    });

    it.each(["9007199254740993::int8", "timestamptz 'infinity'"])(
      "answers an error for %s instead of a wrong value",
      async (expression) => {
        const { database } = await databases.open();
        expect(await codeOf(database.query(`select ${expression}, generate_series(1, 3)`))).toBe("value_out_of_range");
        expect(await database.query("select 1 as still")).toEqual([{ still: 1 }]);
      },
    );

    it("carries a megabyte of text and bytes", async () => {
      const { database } = await databases.open();
      const text = "é".repeat(1_000_000);
      const bytes = new Uint8Array(1_000_000).fill(7);
      const [row] = await database.query<{ text: string; bytes: Uint8Array }>(
        "select $1::text as text, $2::bytea as bytes",
        [text, bytes],
      );
      expect(row?.text === text && Buffer.compare(row.bytes, bytes) === 0).toBe(true);
    });
  });

  describe("statements", () => {
    it("says how many rows were touched", async () => {
      const { database, table } = await openTable();
      expect(await database.execute(`insert into ${table} select i, 'x' from generate_series(1, 3) i`)).toEqual({
        rows: [],
        rowCount: 3,
        command: "INSERT",
      });
      expect(await database.execute(`update ${table} set name = $1 where id > $2`, ["y", 1])).toMatchObject({
        rowCount: 2,
        command: "UPDATE",
      });
      expect(await database.execute(`delete from ${table} where id > $1 returning id`, [2])).toEqual({
        rows: [{ id: 3 }],
        rowCount: 1,
        command: "DELETE",
      });
    });

    it("runs several statements of a text without parameters, all or none", async () => {
      const { database, table } = await openTable();
      expect(await database.query(`insert into ${table} values (1, 'a'); select id from ${table}`)).toEqual([
        { id: 1 },
      ]);
      expect(await stateOf(database.query(`insert into ${table} values (2, 'b'); select 1/0`))).toBe("22012");
      expect(await database.query(`select id from ${table}`)).toEqual([{ id: 1 }]);
      expect(await database.query("")).toEqual([]);
    });

    it("names the constraint that a write would break, and goes on", async () => {
      const { database, table } = await openTable();
      await database.query(`insert into ${table} values ($1, $2)`, [1, "secret-value"]);
      const error = await failureOf(database.query(`insert into ${table} values ($1, $2)`, [1, "secret-value"]));
      expect(error).toMatchObject({ code: "query_failed", sqlState: "23505", constraint: "things_pkey" });
      expect(error.message).not.toContain("secret-value");
      expect(await database.query(`select count(*) from ${table}`)).toEqual([{ count: 1 }]);
    });

    it("survives a table that changes under a statement it has prepared", async () => {
      const { database, table } = await openTable();
      const read = () => database.query(`select * from ${table} where id > $1`, [0]);
      await database.query(`insert into ${table} values (1, 'a')`);
      for (let turn = 0; turn < 8; turn++) await read();
      await database.query(`alter table ${table} add column extra int4 default 5`);
      for (let turn = 0; turn < 8; turn++) expect(await read()).toEqual([{ id: 1, name: "a", extra: 5 }]);
    });

    it("keeps the order of statements that one caller does not await", async () => {
      const { database, table } = await openTable();
      await database.transaction(async (transaction) => {
        const writes = Array.from({ length: 50 }, (_, id) =>
          transaction.query(`insert into ${table} values ($1, $2)`, [id, "x"]),
        );
        expect(await transaction.query(`select count(*) from ${table}`)).toEqual([{ count: 50 }]);
        await Promise.all(writes);
      });
    });
  });

  describe("transactions", () => {
    it("N1 a rolled-back transaction leaves nothing", async () => {
      const { database, table } = await openTable();
      const failure = new Error("no");
      const outcome = database.transaction(async (transaction) => {
        await transaction.query(`insert into ${table} values (1, 'a')`);
        throw failure;
      });
      await expect(outcome).rejects.toBe(failure);
      expect(await database.query(`select * from ${table}`)).toEqual([]);
    });

    it("N1 calls back after the commit, in order, and never after a rollback", async () => {
      const { database, table } = await openTable();
      const seen: string[] = [];
      const answer = await database.transaction(async (transaction) => {
        await transaction.query(`insert into ${table} values (1, 'a')`);
        transaction.afterCommit(() => seen.push("first"));
        transaction.afterCommit(() => seen.push("second"));
        expect(seen).toEqual([]);
        return "answer";
      });
      expect([answer, ...seen]).toEqual(["answer", "first", "second"]);
      const refused = database.transaction(async (transaction) => {
        transaction.afterCommit(() => seen.push("never"));
        await transaction.query(`insert into ${table} values (1, 'again')`);
      });
      expect(await stateOf(refused)).toBe("23505");
      expect(seen).not.toContain("never");
    });

    it("sees its commit from within a callback, and a callback that throws changes nothing", async () => {
      const { database, table } = await openTable();
      let inside: Promise<readonly unknown[]> | undefined;
      await database.transaction(async (transaction) => {
        await transaction.query(`insert into ${table} values (1, 'a')`);
        transaction.afterCommit(() => {
          throw new Error("a listener's fault");
        });
        transaction.afterCommit(() => {
          inside = database.query(`select id from ${table}`);
        });
      });
      expect(await inside).toEqual([{ id: 1 }]);
    });

    it("reports a commit that became a rollback because a failed statement was swallowed", async () => {
      const { database, table } = await openTable();
      let called = false;
      const outcome = database.transaction(async (transaction) => {
        transaction.afterCommit(() => {
          called = true;
        });
        await transaction.query(`insert into ${table} values (1, 'a')`);
        await transaction.query("select 1/0").catch(() => undefined);
      });
      expect(await codeOf(outcome)).toBe("transaction_aborted");
      expect(called).toBe(false);
      expect(await database.query(`select * from ${table}`)).toEqual([]);
    });

    it("fails when a deferred constraint refuses the commit", async () => {
      const { database, table } = await openTable("id int8 unique deferrable initially deferred");
      const outcome = database.transaction((transaction) => transaction.query(`insert into ${table} values (1), (1)`));
      expect(await stateOf(outcome)).toBe("23505");
      expect(await database.query("select 1 as still")).toEqual([{ still: 1 }]);
    });

    it.each<[string, (database: Database) => Promise<unknown>]>([
      ["query", (database) => database.query("select 1")],
      ["execute", (database) => database.execute("select 1")],
      ["transaction", (database) => database.transaction(async () => undefined)],
      ["listen", (database) => database.listen("c", () => undefined)],
    ])("answers nested_query for %s on the database inside its own transaction", async (_title, call) => {
      const { database } = await databases.open();
      const outcome = database.transaction(async (transaction) => {
        await transaction.query("select 1");
        return codeOf(call(database));
      });
      expect(await outcome).toBe("nested_query");
      await call(database);
    });

    it("lets work that began inside a transaction use the database once that has ended", async () => {
      const { database } = await databases.open();
      let later: Promise<readonly unknown[]> | undefined;
      let go: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => {
        go = resolve;
      });
      await database.transaction(async () => {
        later = gate.then(() => database.query("select 1 as fine"));
      });
      go();
      expect(await later).toEqual([{ fine: 1 }]);
    });

    it("makes other callers wait for, or run beside, a transaction, and never inside it", async () => {
      const { database, table } = await openTable();
      const inside = database.transaction(async (transaction) => {
        await transaction.query(`insert into ${table} values (1, 'a')`);
        await new Promise((resolve) => setTimeout(resolve, 30));
        throw new Error("rolled back");
      });
      const beside = database.query(`insert into ${table} values (2, 'b')`);
      await Promise.allSettled([inside, beside]);
      expect(await database.query(`select id from ${table}`)).toEqual([{ id: 2 }]);
    });

    it("runs many transactions at once without losing an update", async () => {
      const { database, table } = await openTable();
      await database.query(`insert into ${table} values (1, '0')`);
      const bump = (transaction: DatabaseTransaction) =>
        transaction.query(`update ${table} set name = (name::int8 + 1)::text where id = 1`);
      await Promise.all(Array.from({ length: 40 }, () => database.transaction(bump)));
      expect(await database.query(`select name from ${table}`)).toEqual([{ name: "40" }]);
    });

    it("refuses statements after its end", async () => {
      const { database } = await databases.open();
      const kept = await database.transaction(async (transaction) => transaction);
      expect(await codeOf(kept.query("select 1"))).toBe("transaction_closed");
      expect(() => kept.afterCommit(() => undefined)).toThrow("has ended");
    });
  });

  describe("notifications", () => {
    it("hears what is committed, not what is rolled back, until it stops listening", async () => {
      const { database, schema } = await databases.open();
      const heard: string[] = [];
      const stop = await database.listen(`${schema} "odd" name`, (payload) => heard.push(payload));
      const notify = (payload: string) => ({
        text: "select pg_notify($1, $2)",
        params: [`${schema} "odd" name`, payload],
      });
      const rolledBack = database.transaction(async (transaction) => {
        const { text, params } = notify("rolled back");
        await transaction.query(text, params);
        throw new Error("no");
      });
      await expect(rolledBack).rejects.toThrow("no");
      const first = notify("committed");
      await database.query(first.text, first.params);
      await until(() => heard.length > 0);
      expect(heard).toEqual(["committed"]);

      await stop();
      const second: string[] = [];
      const stopSecond = await database.listen(`${schema} "odd" name`, (payload) => second.push(payload));
      const last = notify("second");
      await database.query(last.text, last.params);
      await until(() => second.length > 0);
      await stopSecond();
      expect({ heard, second }).toEqual({ heard: ["committed"], second: ["second"] });
    });

    it("serves several listeners, of which one throws", async () => {
      const { database, schema } = await databases.open();
      const heard: string[] = [];
      const stops = [
        await database.listen(schema, () => {
          throw new Error("a listener's fault");
        }),
        await database.listen(schema, (payload) => heard.push(payload)),
      ];
      await database.query("select pg_notify($1, 'x')", [schema]);
      await until(() => heard.length > 0);
      expect(heard).toEqual(["x"]);
      await Promise.all(stops.map((stop) => stop()));
    });
  });
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], conformance);
describeOwnPglite(({ databases }) => conformance(databases));

async function failureOf(outcome: Promise<unknown>): Promise<DatabaseError> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isDatabaseError(error)) return error;
  throw new Error(`expected a DatabaseError, got ${String(error)}`);
}

async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return (await failureOf(outcome)).code;
}

async function stateOf(outcome: Promise<unknown>): Promise<string | undefined> {
  return (await failureOf(outcome)).sqlState;
}
