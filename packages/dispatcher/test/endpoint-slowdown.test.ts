import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const HOUR_MS = 3_600_000;

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async (options: object = {}) => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, {
      clock,
      circuitBreaker: null,
      retrySchedule: { delaysMs: [10, 10], jitterRatio: 0 },
      ...options,
    });
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    const endpoint = await subscribeReceiver(opened.dispatcher, receiver);
    await opened.dispatcher.start();
    const blockedUntil = async () => (await opened.dispatcher.endpoints.get(endpoint))?.health.blockedUntil ?? null;
    return { ...opened, clock, receiver, endpoint, blockedUntil };
  };

  it.each([
    { form: "seconds", status: 429, header: () => "120", heldMs: 120_000 },
    {
      form: "a date",
      status: 503,
      header: (nowMs: number) => new Date(nowMs + 300_000).toUTCString(),
      heldMs: 300_000,
    },
    { form: "more than the cap", status: 502, header: () => "999999999", heldMs: HOUR_MS },
  ])("N4 N5 leaves the whole endpoint alone for a Retry-After in $form", async ({ status, header, heldMs }) => {
    const { dispatcher, database, schema, clock, receiver, blockedUntil } = await open();
    receiver.answerWith({ status, headers: { "retry-after": header(clock.now()) } });
    await dispatcher.publish(EVENT);
    const until1 = await until(blockedUntil);
    expect(until1.getTime() - clock.now()).toBe(heldMs);

    receiver.answerWith({ status: 200 });
    await dispatcher.publishMany(Array.from({ length: 5 }, () => EVENT));
    clock.advance(heldMs - 1);
    await until(async () => {
      const [row] = await database.query<{ busy: number; outside: number }>(
        `select count(*) filter (where leased)::integer as busy, count(*) filter (where state = 2)::integer as outside
         from ${schema}.queue`,
      );
      return row?.busy === 0 && row.outside >= 5;
    });
    expect(receiver.requests).toHaveLength(1);
    clock.advance(1);
    await receiver.waitFor(6);
  });

  it.each([429, 502, 504])("N4 N5 pauses after a %i that names no time, longer each time in a row", async (status) => {
    const { dispatcher, clock, receiver, blockedUntil } = await open();
    const startMs = clock.now();
    receiver.answerWith({ status });
    await dispatcher.publish(EVENT);
    await until(async () => (await blockedUntil())?.getTime() === startMs + 1_000);
    clock.advanceTo(startMs + 1_000);
    await until(async () => (await blockedUntil())?.getTime() === startMs + 3_000);
    receiver.answerWith({ status: 200 });
    clock.advanceTo(startMs + 3_000);
    await untilDelivery(dispatcher, (delivery) => delivery.status === "delivered");
    // It is over: nothing waits although nobody moves the clock.
    await dispatcher.publish(EVENT);
    await receiver.waitFor(4);
  });

  it("N5 does not pause after a 500, nor a 503 that names no time", async () => {
    const { dispatcher, receiver, blockedUntil } = await open();
    for (const status of [500, 503]) {
      receiver.answerWith({ status });
      await dispatcher.publish({ ...EVENT, data: { status } });
    }
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.length === 2 && deliveries.every(({ attempts }) => attempts === 1);
    });
    expect(await blockedUntil()).toBeNull();
  });

  it("N5 sends fewer requests at a time after each throttling answer", async () => {
    const { dispatcher, clock, receiver, blockedUntil } = await open({ maxInFlightPerEndpoint: 4 });
    receiver.answerWith({ status: 504 });
    await dispatcher.publish(EVENT);
    const first = await until(blockedUntil);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    receiver.answerWith(async () => {
      await released;
      return { status: 200 };
    });
    await dispatcher.publishMany(Array.from({ length: 9 }, () => EVENT));
    clock.advanceTo(first);
    await receiver.waitFor(3);
    const health = await until(async () => {
      const { inFlight, waiting } = await dispatcher.health();
      return inFlight === 2 && waiting > 0 && { inFlight, waiting };
    });
    expect(health.inFlight).toBe(2);
    expect(receiver.requests).toHaveLength(3);
    release();
    await until(async () => {
      clock.advance(10);
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return deliveries.length === 10;
    });
  });

  it.each([
    { status: 400, policy: { retryClientErrors: false }, becomes: "dead" },
    { status: 404, policy: { retryClientErrors: false }, becomes: "dead" },
    { status: 422, policy: { retryClientErrors: false }, becomes: "dead" },
    { status: 408, policy: { retryClientErrors: false }, becomes: "pending" },
    { status: 425, policy: { retryClientErrors: false }, becomes: "pending" },
    { status: 429, policy: { retryClientErrors: false }, becomes: "pending" },
    { status: 500, policy: { retryClientErrors: false }, becomes: "pending" },
    { status: 302, policy: { retryClientErrors: false }, becomes: "pending" },
    { status: 404, policy: {}, becomes: "pending" },
  ])("W5 has a delivery that is answered $status $becomes where the policy is $policy", async (each) => {
    const { dispatcher, receiver, endpoint } = await open();
    await dispatcher.endpoints.update(endpoint, { policy: each.policy });
    receiver.answerWith({ status: each.status, headers: { location: "http://127.0.0.1:9/" } });
    await dispatcher.publish(EVENT);
    const tried = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    expect(tried).toMatchObject({
      status: each.becomes,
      ending: each.becomes === "dead" ? "refused" : null,
      log: [{ status: each.status, errorCode: each.status === 302 ? "redirect" : "http_status" }],
    });
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ active: true });
  });
});
