import { AsyncResource } from "node:async_hooks";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RetentionOptions } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import { onlyOn, openDispatcher, openReceiver, openWaitingReceiver, TENANT, until } from "./open-dispatcher.js";

const DAY_MS = 86_400_000;
const ONCE = { retrySchedule: { delaysMs: [] }, idempotencyWindowMs: DAY_MS };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async (retention: RetentionOptions = {}) => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { ...ONCE, clock, retention });
    const { dispatcher } = opened;
    const receiver = await openReceiver({
      answer: () => ({ status: 200, body: "thanks" }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const make = (url: string, active = true) =>
      dispatcher.endpoints.create({ tenantId: TENANT, target: { url }, events: ["*"], active });
    const publish = (data: unknown, idempotencyKey?: string) =>
      dispatcher.publish({
        tenantId: TENANT,
        type: "ticket.created",
        data,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
    const deliveries = async (status?: "delivered" | "held" | "dead") => {
      const query = { tenantId: TENANT, ...(status && { status }) };
      return (await dispatcher.deliveries.list(query)).deliveries;
    };
    const get = (id: string) => dispatcher.events.get({ tenantId: TENANT, id });
    return { ...opened, clock, receiver, make, publish, deliveries, get };
  };

  it("removes recoveries that ended long ago, and states that outlived their endpoint", async () => {
    const { dispatcher, another, database, schema, clock, receiver, make } = await open({ attemptMs: 2 * DAY_MS });
    const endpoint = await make(receiver.url);
    await dispatcher.start();
    const recover = async () => {
      const { id } = await dispatcher.recover({ tenantId: TENANT, endpointId: endpoint.id, since: new Date(0) });
      await until(async () => (await dispatcher.recoveries.get({ tenantId: TENANT, id }))?.status === "completed");
      return id;
    };
    const kept = async () => (await dispatcher.recoveries.list({ tenantId: TENANT })).recoveries.map(({ id }) => id);
    const states = () => database.query<{ entity: string }>(`select entity from ${schema}.states order by entity`);
    // As an attempt leaves it that was under way when its endpoint was deleted.
    const state = (endpointId: string, entity: string) =>
      database.query(`insert into ${schema}.states values ($1, $2, 'null', now())`, [endpointId, entity]);
    for (const id of ["ep_0", "ep_z"]) await state(id, "gone");
    await state(endpoint.id, "known");
    const early = await recover();
    clock.advance(DAY_MS);
    const late = await recover();
    expect(await kept()).toEqual([late, early]);
    await dispatcher.stop();
    clock.advance(DAY_MS + 60_000);
    await another().start();
    await until(async () => (await kept()).length === 1);
    expect(await kept()).toEqual([late]);
    await until(async () => (await states()).length === 1);
    expect(await states()).toEqual([{ entity: "known" }]);
  });

  it("keeps an idempotency key for its window, and takes it anew after that", async () => {
    const { clock, publish } = await open();
    const first = await publish({ n: 1 }, "order-1");
    clock.advance(DAY_MS - 1);
    expect(await publish({ n: 1 }, "order-1")).toEqual({ id: first.id, duplicate: true });
    await expect(publish({ n: 2 }, "order-1")).rejects.toMatchObject({ code: "idempotency_conflict" });
    clock.advance(1);
    const second = await publish({ n: 2 }, "order-1");
    expect(second).toMatchObject({ duplicate: false });
    expect(second.id).not.toBe(first.id);
    expect(await publish({ n: 2 }, "order-1")).toEqual({ id: second.id, duplicate: true });
  });

  it("expunges a payload for good: nothing of it is stored or sent, and the key stays known", async () => {
    const { dispatcher, database, schema, receiver, make, publish, deliveries, get } = await open();
    await make(receiver.url);
    const held = await make("http://127.0.0.1:9", false);
    await dispatcher.start();
    const event = await publish({ email: "ann@example.com" }, "order-1");
    await until(async () => (await deliveries("delivered")).length === 1);
    const expunged = await dispatcher.events.expunge({ tenantId: TENANT, id: event.id });
    expect(expunged).toEqual({ id: event.id, expungedAt: expect.any(Date), endedDeliveries: 1, inFlight: 0 });
    expect(await get(event.id)).toMatchObject({ data: null, expungedAt: expunged.expungedAt });
    const [dead] = await deliveries("dead");
    expect(dead).toMatchObject({ endpointId: held.id, ending: "expunged", reason: "The payload was expunged." });
    const [delivered] = await deliveries("delivered");
    const detail = await dispatcher.deliveries.get({ tenantId: TENANT, id: delivered?.id ?? "" });
    expect(detail?.log).toMatchObject([{ status: 200, responseBody: null }]);
    const stored = await database.query(
      `select event::text, attempts::text from ${schema}.events event, ${schema}.attempts attempts`,
    );
    expect(JSON.stringify(stored)).not.toMatch(/ann@example|thanks/);

    expect(await publish({ email: "ann@example.com" }, "order-1")).toEqual({ id: event.id, duplicate: true });
    for (const { id } of await deliveries()) {
      await expect(dispatcher.deliveries.retry({ tenantId: TENANT, id })).rejects.toMatchObject({
        code: "payload_expunged",
      });
    }
    const since = new Date(0);
    const task = await dispatcher.recover({ tenantId: TENANT, endpointId: held.id, since, status: "all" });
    await until(async () => {
      const found = await dispatcher.recoveries.get({ tenantId: TENANT, id: task.id });
      return found?.status === "completed" && found.matched === 0;
    });
    await expect(dispatcher.events.expunge({ tenantId: "globex", id: event.id })).rejects.toMatchObject({
      code: "event_not_found",
    });
  });

  it("records the attempt that is in flight while its payload is expunged, and makes no other", async () => {
    const { dispatcher, database, schema, clock, publish, deliveries } = await open();
    const { receiver, answer } = await openWaitingReceiver({ status: 503, body: "thanks" });
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { retrySchedule: { delaysMs: [1_000, 1_000] } },
    });
    await dispatcher.start();
    const event = await publish({ n: 1 });
    await receiver.waitFor(1);
    const expunged = await dispatcher.events.expunge({ tenantId: TENANT, id: event.id });
    expect(expunged).toMatchObject({ endedDeliveries: 0, inFlight: 1 });
    answer();
    await until(async () => (await deliveries())[0]?.attempts === 1);
    const stored = await database.query(`select status, reason, response_body from ${schema}.attempts`);
    expect(stored).toEqual([{ status: 503, reason: null, response_body: null }]);
    await until(async () => {
      clock.advance(1_000);
      return (await deliveries("dead"))[0]?.ending === "expunged";
    });
    expect(receiver.requests).toHaveLength(1);
    expect((await deliveries())[0]?.reason).toBe("The payload was expunged.");
  });

  onlyOn(databases, "postgres")("counts as in flight what is leased while it expunges", async () => {
    const { dispatcher, database, schema, receiver, make, publish } = await open();
    await make(receiver.url);
    const { id } = await publish({ n: 1 });
    const outside = AsyncResource.bind(<T>(fn: () => T): T => fn());
    let expunging: Promise<unknown> | undefined;
    await database.transaction(async ({ query }) => {
      // As a claim does that has not committed yet.
      await query(`update ${schema}.queue set leased = true, lease_no = 2`);
      expunging = outside(() => dispatcher.events.expunge({ tenantId: TENANT, id }));
      await until(async () => {
        const waiting = await outside(() => database.query("select 1 from pg_locks where not granted"));
        return waiting.length > 0;
      });
    });
    expect(await expunging).toMatchObject({ endedDeliveries: 0, inFlight: 1 });
  });

  onlyOn(databases, "postgres")("N9 expunges also when the database ends its transaction for a deadlock", async () => {
    const { dispatcher, database, schema, receiver, make, publish } = await open();
    await make(receiver.url);
    await make(receiver.url);
    const { id } = await publish({ n: 1 });
    const [first, last] = await database.query<{ id: string }>(`select id from ${schema}.queue order by id`);
    const lock = `select from ${schema}.queue where id = $1 for update`;
    const outside = AsyncResource.bind(<T>(fn: () => T): T => fn());
    let expunging: Promise<unknown> | undefined;
    // As a worker does that writes what both attempts came to, in the other order.
    const writing = database.transaction(async ({ query }) => {
      await query(lock, [last?.id]);
      expunging = outside(() => dispatcher.events.expunge({ tenantId: TENANT, id }));
      await until(async () => {
        const waiting = await outside(() => database.query("select 1 from pg_locks where not granted"));
        return waiting.length > 0;
      });
      await query(lock, [first?.id]);
    });
    // Who waits first is ended first; on a slow machine that may be the other one.
    await writing.catch((error: unknown) => expect(error).toMatchObject({ sqlState: "40P01" }));
    expect(await expunging).toMatchObject({ endedDeliveries: 2, inFlight: 0 });
  });

  it("empties payloads, and removes deliveries and events, each at its age, but nothing that is still pending", async () => {
    const { dispatcher, database, schema, clock, receiver, make, publish, deliveries, get } = await open({
      payloadMs: 10 * DAY_MS,
      attemptMs: 20 * DAY_MS,
      eventMs: 30 * DAY_MS,
    });
    await dispatcher.start();
    const good = await make(receiver.url);
    const old = await publish({ n: "old" });
    await until(async () => (await deliveries("delivered")).length === 1);
    await dispatcher.endpoints.delete({ tenantId: TENANT, id: good.id });
    await make("http://127.0.0.1:9", false);
    const held = await publish({ n: "held" });
    const wait = async (days: number, isSo: () => Promise<boolean>) => {
      clock.advance(days * DAY_MS);
      await until(async () => {
        if (await isSo()) return true;
        // The worker's next turn may have been set only after the clock had moved.
        clock.advance(10 * 60_000);
        return false;
      });
    };
    const attempts = () => database.query(`select from ${schema}.attempts`);
    await wait(11, async () => (await get(old.id))?.expungedAt != null);
    expect((await deliveries("delivered")).map(({ eventId }) => eventId)).toEqual([old.id]);
    await wait(10, async () => (await attempts()).length === 0);
    expect(await get(old.id)).toMatchObject({ data: null });
    await wait(10, async () => (await get(old.id)) === null);
    expect(await get(held.id)).toMatchObject({ data: { n: "held" }, expungedAt: null });
    expect((await deliveries("held")).map(({ eventId }) => eventId)).toEqual([held.id]);
  });

  it("goes on where more is old than one statement takes", async () => {
    const { dispatcher, database, schema, clock } = await open({ eventMs: DAY_MS });
    await database.query(`insert into ${schema}.events (id, tenant_id, type, occurred_at, stored_at, body)
      select 'evt_' || n, '${TENANT}', 'ticket.created', now(), '2020-01-01', '{}' from generate_series(1, 1203) as t(n)`);
    await database.query(`insert into ${schema}.messages (id, tenant_id, destination, target, body, stored_at)
      select 'dlv_' || n, '${TENANT}', 'none', '', '{}', '2020-01-01' from generate_series(1, 3) as t(n)`);
    await dispatcher.start();
    clock.advance(3_600_000);
    await until(async () => {
      const rows = await database.query(`select id from ${schema}.events union all select id from ${schema}.messages`);
      return rows.length === 0;
    });
    if (database.kind !== "pglite") return;
    await until(async () => {
      const vacuumed = await database.query<{ relname: string }>(
        `select relname from pg_class
         where relnamespace = '${schema}'::regnamespace and relname in ('events', 'messages', 'attempts') and reltuples = 0`,
      );
      return vacuumed.length === 3;
    });
  });

  it.each([
    [{ retention: { payloadMs: 0 } }, "retention.payloadMs"],
    [{ retention: { attemptMs: Number.NaN } }, "retention.attemptMs"],
    [{ retention: { eventMs: DAY_MS } }, "retention.eventMs"],
    [{ idempotencyWindowMs: 0 }, "idempotencyWindowMs"],
  ])("refuses %j", async (options, path) => {
    await expect(openDispatcher(databases, options)).rejects.toMatchObject({
      code: "invalid_options",
      issues: [{ path }],
    });
  });
});
