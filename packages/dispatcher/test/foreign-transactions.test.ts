import { randomBytes } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import type { Transaction } from "@hookline/core";
import {
  createClientTransactions,
  fromDrizzleTransaction,
  fromKyselyTransaction,
  fromPglite,
  fromPgliteTransaction,
  fromPostgresJsTransaction,
} from "@hookline/postgres";
import { describeMatrix, type TestDatabases } from "@hookline/postgres/testing";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgSchema } from "drizzle-orm/pg-core";
import { drizzle as drizzleOnPglite } from "drizzle-orm/pglite";
import { drizzle as drizzleOnPostgresJs } from "drizzle-orm/postgres-js";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

interface Place {
  readonly url: string;
  readonly schema: string;
}

/** What a test does inside a transaction of the driver: an order of its own, and what `publish` takes. */
type Work = (transaction: Transaction, insertOrder: (id: number) => PromiseLike<unknown>) => Promise<void>;

/** Opens a driver; answers how it runs a transaction, which a throw of the work rolls back. */
type Driver = (place: Place) => (work: Work) => Promise<void>;

const openPool = (url: string): pg.Pool => {
  const pool = new pg.Pool({ connectionString: url });
  onTestFinished(() => pool.end());
  return pool;
};

const openPostgresJs = (url: string) => {
  const sql = postgres(url, { onnotice: () => {} });
  onTestFinished(() => sql.end());
  return sql;
};

const ordersIn = (schema: string) => pgSchema(schema).table("orders", { id: integer() });

const DRIVERS: Record<string, Driver> = {
  pg: ({ url, schema }) => {
    const pool = openPool(url);
    const transactionOn = createClientTransactions();
    return async (work) => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await work(transactionOn(client), (id) => client.query(`insert into ${schema}.orders values ($1)`, [id]));
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw error;
      } finally {
        client.release();
      }
    };
  },
  Kysely: ({ url, schema }) => {
    const kysely = new Kysely<{ orders: { id: number } }>({ dialect: new PostgresDialect({ pool: openPool(url) }) });
    return (work) =>
      kysely
        .withSchema(schema)
        .transaction()
        .execute((trx) => work(fromKyselyTransaction(trx), (id) => trx.insertInto("orders").values({ id }).execute()));
  },
  "Drizzle on node-postgres": ({ url, schema }) => {
    const db = drizzle(openPool(url));
    return (work) =>
      db.transaction((tx) =>
        work(fromDrizzleTransaction(tx, drizzleSql), (id) => tx.insert(ordersIn(schema)).values({ id })),
      );
  },
  "Drizzle on postgres.js": ({ url, schema }) => {
    const db = drizzleOnPostgresJs(openPostgresJs(url));
    return (work) =>
      db.transaction((tx) =>
        work(fromDrizzleTransaction(tx, drizzleSql), (id) => tx.insert(ordersIn(schema)).values({ id })),
      );
  },
  "postgres.js": ({ url, schema }) => {
    const sql = openPostgresJs(url);
    return async (work) => {
      await sql.begin((tx) =>
        work(fromPostgresJsTransaction(tx), (id) => tx`insert into ${tx(schema)}.orders values (${id})`),
      );
    };
  },
};

/** Publishes in a transaction that rolls back and in one that commits, beside a dispatcher that has started. */
async function publishWithin(databases: TestDatabases, driverOf: Driver): Promise<void> {
  const { dispatcher, database, schema, url = "" } = await openDispatcher(databases, { pollMs: 3_600_000 });
  dispatcher.use({ id: "work", plan: () => null });
  await dispatcher.start();
  const receiver = await openReceiver();
  await subscribeReceiver(dispatcher, receiver);
  await database.query(`create table ${schema}.orders (id integer)`);
  const within = driverOf({ url, schema });
  const countOf = async (table: string) => (await database.query(`select 1 from ${schema}.${table}`)).length;
  const event = (id: number) => ({
    tenantId: TENANT,
    type: "order.created",
    data: { id },
    idempotencyKey: `o${id}`,
  });
  const message = { tenantId: TENANT, destination: "work", target: null, data: {}, idempotencyKey: "m" };

  const rolledBack = within(async (transaction, insertOrder) => {
    await insertOrder(1);
    await dispatcher.publish(event(1), { transaction });
    await dispatcher.send(message, { transaction });
    throw new Error("out of stock");
  });
  await expect(rolledBack).rejects.toThrow("out of stock");
  for (const table of ["orders", "events", "queue", "messages"]) expect(await countOf(table)).toBe(0);

  const ids: string[] = [];
  await within(async (transaction, insertOrder) => {
    await insertOrder(2);
    const published = await dispatcher.publish(event(2), { transaction });
    expect(await dispatcher.publish(event(2), { transaction })).toEqual({ id: published.id, duplicate: true });
    await dispatcher.publishMany([event(3), event(4)], { transaction });
    const sent = await dispatcher.send(message, { transaction });
    expect(await dispatcher.send(message, { transaction })).toEqual({ ...sent, duplicate: true });
    ids.push(published.id);
    // Nobody else sees it before the commit; on one connection nobody else can ask.
    if (url === "") return;
    for (const table of ["orders", "events", "queue", "messages"]) expect(await countOf(table)).toBe(0);
  });
  // Nobody calls handOver and the poll is an hour away: the notification of the commit wakes the worker.
  const requests = await receiver.waitFor(3);
  expect(requests.map(({ headers }) => headers["webhook-id"])).toContain(ids[0]);
  expect(requests.map((request) => (request.json() as { data: { id: number } }).data.id).sort()).toEqual([2, 3, 4]);
  expect(requests.map(({ verified }) => verified)).toEqual([true, true, true]);
  await until(async () => (await countOf("queue")) === 0);
  expect([await countOf("orders"), await countOf("events"), await countOf("messages")]).toEqual([1, 3, 1]);
}

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it.each(Object.entries(DRIVERS))("N1 publishes inside a transaction of the caller's own %s", (_name, driver) =>
    publishWithin(databases, driver),
  );
});

const ON_PGLITE: Record<string, (pglite: PGlite) => Driver> = {
  PGlite:
    (pglite) =>
    ({ schema }) =>
    async (work) => {
      await pglite.transaction((tx) =>
        work(fromPgliteTransaction(tx), (id) => tx.query(`insert into ${schema}.orders values ($1)`, [id])),
      );
    },
  "Drizzle on PGlite":
    (pglite) =>
    ({ schema }) =>
    (work) =>
      drizzleOnPglite(pglite).transaction((tx) =>
        work(fromDrizzleTransaction(tx, drizzleSql), (id) => tx.insert(ordersIn(schema)).values({ id })),
      ),
};

describe("a dispatcher on the caller's own PGlite", () => {
  let pglite: PGlite;
  beforeAll(async () => {
    pglite = await PGlite.create();
  }, 120_000);
  afterAll(() => pglite.close());
  const databases: TestDatabases = {
    kind: "pglite",
    async open() {
      const database = fromPglite(pglite);
      const schema = `t_${randomBytes(6).toString("hex")}`;
      await database.query(`create schema ${schema}`);
      return { database, schema, url: undefined };
    },
  };

  it.each(Object.entries(ON_PGLITE))("N1 publishes inside a transaction of the caller's own %s", (_name, driverOn) =>
    publishWithin(databases, driverOn(pglite)),
  );

  it("N1 waits with its worker for a transaction that stays open, and delivers after the commit", async () => {
    const { dispatcher } = await openDispatcher(databases, { pollMs: 20 });
    await dispatcher.start();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    const event = { tenantId: TENANT, type: "order.created", data: { id: 1 } };
    let beside: Promise<unknown> | undefined;
    await pglite.transaction(async (tx) => {
      const transaction = fromPgliteTransaction(tx);
      await dispatcher.publish(event, { transaction });
      beside = dispatcher.publish({ ...event, data: { id: 2 } });
      // The worker's polls, and the publication beside, ask for the connection meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await dispatcher.publish({ ...event, data: { id: 3 } }, { transaction });
      expect(receiver.requests).toEqual([]);
    });
    await beside;
    const requests = await receiver.waitFor(3);
    expect(requests.map((request) => (request.json() as { data: { id: number } }).data.id).sort()).toEqual([1, 2, 3]);
  });
});
