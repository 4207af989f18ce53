import { defineDestination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatcher } from "../src/index.js";
import { createRateGate } from "../src/rate-gate.js";
import { createStatements } from "../src/sql/statements.js";
import { createVirtualClock, type ReceiverAnswer, type VirtualClock } from "../src/testing.js";
import {
  ENCRYPTION_KEY,
  type OpenedDispatcher,
  onlyOn,
  openDispatcher,
  openReceiver,
  TENANT,
  until,
} from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "a.b", data: {} };
const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, n) => ({ ...EVENT, data: { n }, ...more }));

/** Where the deliveries are once nothing moves any more. */
async function settled({ dispatcher, database, schema }: OpenedDispatcher, wanted: { inQueue: number }) {
  return until(async () => {
    const { inFlight, waiting } = await dispatcher.health();
    if (inFlight + waiting > 0) return null;
    const [row] = await database.query<{ n: number; leased: number; attempts: number }>(
      `select count(*)::integer as n, (count(*) filter (where leased))::integer as leased,
        coalesce(max(attempt), 0)::integer as attempts from ${schema}.queue`,
    );
    return row?.n === wanted.inQueue && row.leased === 0 ? row : null;
  });
}

/** Moves the clock until there is as much as wanted; answers how long that took by it. */
async function advanceUntil(clock: VirtualClock, stepMs: number, isDone: () => boolean): Promise<number> {
  const startMs = clock.now();
  await until(async () => {
    if (isDone()) return true;
    clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
    return isDone();
  });
  return clock.now() - startMs;
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N5 lets what is beyond an endpoint's rate limit wait in the queue, without an attempt lost", async () => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { clock });
    const { dispatcher } = opened;
    const limited = await openReceiver();
    const free = await openReceiver();
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: limited.url },
      events: ["slow"],
      policy: { rateLimit: { count: 5, perMs: 60_000 } },
    });
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: free.url }, events: ["fine"] });
    await dispatcher.start();
    await dispatcher.publishMany(many(300, { type: "slow" }));
    await limited.waitFor(5);
    // Nothing of it stays in memory in the place of others.
    const waiting = await settled(opened, { inQueue: 295 });
    expect(waiting.attempts).toBe(0);
    await dispatcher.publishMany(many(50, { type: "fine" }));
    await free.waitFor(50);
    expect(limited.requests).toHaveLength(5);
    const tookMs = await advanceUntil(clock, 1_000, () => limited.requests.length >= 10);
    // One each 12 seconds; the first token began to fill when the first was taken.
    expect(tookMs).toBeGreaterThanOrEqual(59_000);
    expect(limited.requests).toHaveLength(10);
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
    expect(deliveries.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it("N5 holds a rate limit over all workers together, and delivers all in the end", async () => {
    const clock = createVirtualClock();
    const { dispatcher, another } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { rateLimit: { count: 10, perMs: 10_000 } },
    });
    const published = await dispatcher.publishMany(many(40));
    await Promise.all([dispatcher.start(), another().start(), another().start()]);
    await receiver.waitFor(10);
    const tookMs = await advanceUntil(clock, 200, () => receiver.requests.length === 40);
    // 30 more at one a second.
    expect(tookMs).toBeGreaterThanOrEqual(29_800);
    const ids = receiver.requests.map(({ headers }) => headers["webhook-id"]);
    expect(ids.sort()).toEqual(published.map(({ id }) => id).sort());
  });

  it("N5 holds a tenant's rate limit over its endpoints and direct sends, and no other tenant's", async () => {
    const clock = createVirtualClock();
    const sent: unknown[] = [];
    const destination = defineDestination({
      id: "notes",
      plan: (event) => ({
        kind: "run",
        run: async () => {
          sent.push(event.data);
          return { outcome: "delivered" };
        },
      }),
    });
    const { dispatcher } = await openDispatcher(databases, {
      clock,
      destinations: [destination],
      tenantLimits: (tenantId) => (tenantId === TENANT ? { rateLimit: { count: 4, perMs: 40_000 } } : undefined),
    });
    const receiver = await openReceiver();
    const other = await openReceiver();
    for (let n = 0; n < 3; n += 1) {
      await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    }
    await dispatcher.endpoints.create({ tenantId: "other", target: { url: other.url }, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publishMany(many(2));
    for (let n = 0; n < 2; n += 1) {
      await dispatcher.send({ tenantId: TENANT, destination: destination.id, target: { n }, data: { n } });
    }
    await dispatcher.publishMany(many(20, { tenantId: "other" }));
    await other.waitFor(20);
    const count = () => receiver.requests.length + sent.length;
    await until(() => count() === 4);
    const tookMs = await advanceUntil(clock, 500, () => count() === 8);
    expect(tookMs).toBeGreaterThanOrEqual(39_000);
  });

  it("N5 keeps to what an endpoint and a tenant may have in flight", async () => {
    let open: (answer: ReceiverAnswer) => void = () => {};
    const gate = new Promise<ReceiverAnswer>((resolve) => {
      open = resolve;
    });
    const { dispatcher } = await openDispatcher(databases, { tenantLimits: { maxInFlight: 3 } });
    const receiver = await openReceiver({ answer: () => gate });
    const policy = { maxInFlight: 2 };
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"], policy });
    for (const tenantId of ["b", "b"]) {
      await dispatcher.endpoints.create({ tenantId, target: { url: receiver.url }, events: ["*"] });
    }
    await dispatcher.start();
    await dispatcher.publishMany([...many(10), ...many(10, { tenantId: "b" })]);
    await receiver.waitFor(5);
    await until(async () => (await dispatcher.health()).inFlight === 5);
    open({ status: 200 });
    await receiver.waitFor(30);
  });

  it("grants a bucket's tokens once, whoever asks for them at the same time, and refills it evenly", async () => {
    const clock = createVirtualClock();
    const { database, schema } = await openDispatcher(databases, { clock });
    const statements = createStatements(schema);
    const gates = [0, 1, 2].map(() => createRateGate({ query: database.query, statements, clock }));
    const bucket = { key: "k", count: 7, perMs: 7_000 };
    const taken = await Promise.all(gates.flatMap((gate) => [gate.take(bucket, 2), gate.take(bucket, 3)]));
    expect(taken.reduce((sum, { granted }) => sum + granted, 0)).toBe(7);
    const first = gates[0] as (typeof gates)[number];
    expect(await first.take(bucket, 5)).toEqual({ granted: 0, nextAtMs: clock.now() + 1_000 });
    clock.advance(2_500);
    expect((await first.take(bucket, 5)).granted).toBe(2);
    // A lower limit counts at once, also for what was taken under the higher one.
    expect((await first.take({ ...bucket, count: 1, perMs: 1_000 }, 5)).granted).toBe(0);
    clock.advance(1_000);
    expect((await first.take({ ...bucket, count: 1, perMs: 1_000 }, 5)).granted).toBe(1);
    // What was not used is there for the next, for as long as the period.
    first.putBack(bucket, 1);
    expect((await first.take(bucket, 5)).granted).toBe(1);
    clock.advance(3_700_000);
    await first.sweep();
    expect(await database.query(`select from ${schema}.rate_limit_tokens`)).toEqual([]);
  });

  it.each([
    { policy: { maxInFlight: 0 }, path: "policy.maxInFlight" },
    { policy: { maxInFlight: 1.5 }, path: "policy.maxInFlight" },
    { policy: { rateLimit: { count: 0, perMs: 1_000 } }, path: "policy.rateLimit.count" },
    { policy: { rateLimit: { count: 1, perMs: Number.NaN } }, path: "policy.rateLimit.perMs" },
    { policy: { rateLimit: 5 as never }, path: "policy.rateLimit" },
  ])("refuses a policy with a wrong $path", async ({ policy, path }) => {
    const { dispatcher } = await openDispatcher(databases);
    const input = { tenantId: TENANT, target: { url: "https://example.com" }, events: ["*"], policy };
    await expect(dispatcher.endpoints.create(input)).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path }],
    });
  });

  it("refuses tenant limits that are none, and has none where the function answers wrongly", async () => {
    const { database, dispatcher, another, logged } = await openDispatcher(databases);
    expect(() =>
      createDispatcher({
        database,
        encryptionKey: ENCRYPTION_KEY,
        tenantLimits: { rateLimit: { count: -1, perMs: 1 } },
      }),
    ).toThrow(
      expect.objectContaining({
        code: "invalid_options",
        issues: [expect.objectContaining({ path: "tenantLimits.rateLimit.count" })],
      }),
    );
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    await dispatcher.publishMany(many(3));
    await another({ tenantLimits: () => ({ maxInFlight: -1 }) }).start();
    await receiver.waitFor(3);
    expect(logged.some(({ message }) => message.startsWith("tenantLimits answered"))).toBe(true);
  });

  onlyOn(databases, "postgres")("asks the database for no tokens where there is no rate limit", async () => {
    const opened = await openDispatcher(databases);
    const texts: string[] = [];
    const watched = {
      ...opened.database,
      query: (text: string, params?: readonly unknown[]) => {
        texts.push(text);
        return opened.database.query(text, params);
      },
    };
    const dispatcher = opened.another({ database: watched } as object);
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publishMany(many(20));
    await receiver.waitFor(20);
    expect(texts.filter((text) => text.includes("rate_limit_tokens"))).toEqual([]);
  });
});
