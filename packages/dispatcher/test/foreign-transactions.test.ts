import type { Transaction } from "@hookline/core";
import {
  createClientTransactions,
  fromDrizzleTransaction,
  fromKyselyTransaction,
  fromPostgresJsTransaction,
} from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgSchema } from "drizzle-orm/pg-core";
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

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it.each(Object.entries(DRIVERS))(
    "N1 publishes inside a transaction of the caller's own %s",
    async (_name, driver) => {
      const { dispatcher, database, schema, url = "" } = await openDispatcher(databases, { pollMs: 3_600_000 });
      dispatcher.use({ id: "work", plan: () => null });
      await dispatcher.start();
      const receiver = await openReceiver();
      await subscribeReceiver(dispatcher, receiver);
      await database.query(`create table ${schema}.orders (id integer)`);
      const within = driver({ url, schema });
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
        // Nobody else sees it before the commit.
        for (const table of ["orders", "events", "queue", "messages"]) expect(await countOf(table)).toBe(0);
      });
      // Nobody calls handOver and the poll is an hour away: the notification of the commit wakes the worker.
      const requests = await receiver.waitFor(3);
      expect(requests.map(({ headers }) => headers["webhook-id"])).toContain(ids[0]);
      expect(requests.map((request) => (request.json() as { data: { id: number } }).data.id).sort()).toEqual([2, 3, 4]);
      expect(requests.map(({ verified }) => verified)).toEqual([true, true, true]);
      await until(async () => (await countOf("queue")) === 0);
      expect([await countOf("orders"), await countOf("events"), await countOf("messages")]).toEqual([1, 3, 1]);
    },
  );
});
