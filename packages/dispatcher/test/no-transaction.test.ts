import { PGlite } from "@electric-sql/pglite";
import type { OutboxOptions, Transaction } from "@hookline/core";
import {
  createClientTransactions,
  fromDrizzleTransaction,
  fromKyselyTransaction,
  fromPgliteTransaction,
  fromPostgresJsTransaction,
} from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, TENANT } from "./open-dispatcher.js";

// None of them connects.
const pool = new pg.Pool();

const BESIDE_THE_TRANSACTION: Record<string, () => Transaction> = {
  // @ts-expect-error a pool
  "a pool of pg": () => createClientTransactions()(pool),
  "Kysely's handle": () => {
    const kysely = new Kysely<{ orders: { id: number } }>({ dialect: new PostgresDialect({ pool }) });
    // @ts-expect-error not the `trx`
    return fromKyselyTransaction(kysely);
  },
  // @ts-expect-error not the `tx`
  "Drizzle's handle": () => fromDrizzleTransaction(drizzle(pool), drizzleSql),
  // @ts-expect-error not the `sql` of `begin`
  "the `sql` of postgres.js": () => fromPostgresJsTransaction(postgres({ max: 0 })),
  // @ts-expect-error not the `tx`
  "a PGlite object": () => fromPgliteTransaction(Object.create(PGlite.prototype) as PGlite),
  // @ts-expect-error nothing
  nothing: () => fromKyselyTransaction(undefined),
};

describe("the adapters of transactions", () => {
  it.each(Object.entries(BESIDE_THE_TRANSACTION))("N1 refuse %s, which a rollback would not reach", (_, adapt) => {
    expect(adapt).toThrow(expect.objectContaining({ name: "DatabaseError", code: "not_a_transaction" }));
  });

  it("N1 take a connection that postgres.js reserved, on which the caller began", async () => {
    const reserved = { unsafe: () => Promise.resolve([{ one: 1 }]), release: () => {} };
    expect(await fromPostgresJsTransaction(reserved).query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite"], (databases) => {
  const answersNoRows = { query: async () => ({ rows: [], rowCount: 0 }) };
  const wrong: Record<string, unknown> = {
    "a client of pg itself": { transaction: answersNoRows },
    "Drizzle's own transaction": { transaction: { execute: async () => [] } },
    "a transaction that is null": { transaction: null },
    "the transaction in place of the options": answersNoRows,
  };
  const misplaced: Record<string, readonly [path: string, options: unknown]> = {
    "a transaction under another name": ["tx", { tx: answersNoRows }],
    "Drizzle's own transaction in place of the options": ["execute", { execute: async () => [] }],
  };

  it.each(Object.entries(misplaced))("N1 refuses %s, and publishes nothing", async (_, [path, options]) => {
    const { dispatcher } = await openDispatcher(databases);
    const event = { tenantId: TENANT, type: "order.placed", data: {} };
    const refused = { code: "invalid_transaction", issues: [{ path, message: expect.stringContaining("not known") }] };
    await expect(dispatcher.publish(event, options as OutboxOptions)).rejects.toMatchObject(refused);
    await expect(dispatcher.publishMany([event], options as OutboxOptions)).rejects.toMatchObject(refused);
    expect((await dispatcher.events.list({ tenantId: TENANT })).events).toEqual([]);
  });

  it.each(Object.entries(wrong))("N1 refuses %s, and publishes nothing", async (_, options) => {
    const { dispatcher } = await openDispatcher(databases);
    const event = { tenantId: TENANT, type: "order.placed", data: {} };
    const refused = { code: "invalid_transaction", issues: [{ path: "transaction", message: expect.any(String) }] };
    const { publish, publishMany, publishEach, unsubscribe } = dispatcher;
    await expect(publish(event, options as OutboxOptions)).rejects.toMatchObject(refused);
    await expect(publishMany([event], options as OutboxOptions)).rejects.toMatchObject(refused);
    await expect(publishEach([event], options as OutboxOptions)).rejects.toMatchObject(refused);
    const subscription = { tenantId: TENANT, key: "orders" };
    await expect(unsubscribe(subscription, options as OutboxOptions)).rejects.toMatchObject(refused);
    expect((await dispatcher.events.list({ tenantId: TENANT })).events).toEqual([]);
  });
});
