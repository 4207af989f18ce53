import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const BREAKER = { failures: 3, openMs: 60_000, maxOpenMs: 240_000 };
const DAY_MS = 86_400_000;
/** One attempt after another, a minute apart. */
const SCHEDULE = { delaysMs: Array.from({ length: 50 }, () => 60_000), jitterRatio: 0 };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async (options: object = {}) => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, {
      clock,
      circuitBreaker: BREAKER,
      retrySchedule: SCHEDULE,
      disableAfterMs: null,
      ...options,
    });
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    const endpoint = await opened.dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["ticket.*"],
    });
    return { ...opened, clock, receiver, endpoint };
  };
  type Opened = Awaited<ReturnType<typeof open>>;

  const healthOf = async ({ dispatcher, endpoint }: Opened) => (await dispatcher.endpoints.get(endpoint))?.health;
  const untilOpen = (opened: Opened, untilMs: number) =>
    until(async () => {
      const health = await healthOf(opened);
      return health?.circuit === "open" && health.blockedUntil?.getTime() === untilMs;
    });
  const deliveries = async ({ dispatcher }: Opened, status?: "pending" | "delivered") =>
    (await dispatcher.deliveries.list({ tenantId: TENANT, limit: 200, ...(status && { status }) })).deliveries;
  /** Nothing is leased: whatever is to be set aside has been. */
  const untilAtRest = ({ database, schema }: Opened, outside: number) =>
    until(async () => {
      const [row] = await database.query<{ leased: number; outside: number }>(
        `select count(*) filter (where leased)::integer as leased,
           count(*) filter (where state = 2)::integer as outside from ${schema}.queue`,
      );
      return row?.leased === 0 && row.outside === outside;
    });

  it("N5 stops attempting what fails again and again, probes with one delivery at a time, and goes on after a success", async () => {
    const opened = await open();
    const { dispatcher, receiver, clock } = opened;
    await dispatcher.start();
    const startMs = clock.now();
    for (let n = 1; n <= 3; n += 1) {
      await dispatcher.publish(EVENT);
      await until(async () => (await healthOf(opened))?.failures === n);
    }
    await untilOpen(opened, startMs + 60_000);
    await dispatcher.publishMany(Array.from({ length: 20 }, () => EVENT));
    await untilAtRest(opened, 20);
    expect(receiver.requests).toHaveLength(3);

    // One probe, which fails: twice as long until the next.
    clock.advanceTo(startMs + 60_000);
    await untilOpen(opened, startMs + 180_000);
    await untilAtRest(opened, 22);
    expect(receiver.requests).toHaveLength(4);
    clock.advanceTo(startMs + 180_000);
    await untilOpen(opened, startMs + 420_000);
    // No more than maxOpenMs.
    clock.advanceTo(startMs + 420_000);
    await untilOpen(opened, startMs + 660_000);
    expect(receiver.requests).toHaveLength(6);

    receiver.answerWith({ status: 200 });
    clock.advanceTo(startMs + 660_000);
    await until(async () => (await deliveries(opened, "delivered")).length === 23);
    expect(receiver.requests).toHaveLength(6 + 23);
    expect(await healthOf(opened)).toEqual({ circuit: "closed", failures: 0, failingSince: null, blockedUntil: null });
    // Waiting cost nobody an attempt: every one that was counted was made.
    const attempts = (await deliveries(opened)).map((delivery) => delivery.attempts);
    expect(attempts.reduce((sum, each) => sum + each, 0)).toBe(29);
  });

  it("N5 shares the state between processes, and keeps it over a restart", async () => {
    const opened = await open();
    const { dispatcher, receiver, clock, another } = opened;
    await dispatcher.start();
    for (let n = 1; n <= 3; n += 1) {
      await dispatcher.publish(EVENT);
      await until(async () => (await healthOf(opened))?.failures === n);
    }
    await untilOpen(opened, clock.now() + 60_000);
    const [other, third] = [another(), another()];
    await other.start();
    await other.publish(EVENT);
    await untilAtRest(opened, 1);
    await dispatcher.stop();
    await third.start();
    await third.publish(EVENT);
    await untilAtRest(opened, 2);
    expect(receiver.requests).toHaveLength(3);

    // Both that run now know when the probe is due; one makes it.
    clock.advance(60_000);
    await untilOpen(opened, clock.now() + 120_000);
    expect(receiver.requests).toHaveLength(4);
    receiver.answerWith({ status: 200 });
    clock.advance(120_000);
    await until(async () => (await deliveries(opened, "delivered")).length === 5);
  });

  it("N5 opens for nobody else, and not for an endpoint whose policy says so", async () => {
    const opened = await open();
    const { dispatcher, receiver, clock, endpoint } = opened;
    await dispatcher.endpoints.update(endpoint, { policy: { circuitBreaker: false } });
    const healthy = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: healthy.url }, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publishMany(Array.from({ length: 20 }, () => EVENT));
    await receiver.waitFor(20);
    await healthy.waitFor(20);
    await until(async () => (await healthOf(opened))?.failures === 20);
    expect(await healthOf(opened)).toMatchObject({ circuit: "closed", blockedUntil: null });
    clock.advance(60_000);
    await receiver.waitFor(40);
  });

  it("N5 forgets the time that an endpoint asked for, once it has passed and an attempt succeeded", async () => {
    const opened = await open({ circuitBreaker: null });
    const { dispatcher, receiver, clock, database, schema } = opened;
    receiver.answerWith({ status: 429, headers: { "retry-after": "60" } });
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await until(async () => (await healthOf(opened))?.blockedUntil != null);
    receiver.answerWith({ status: 200 });
    clock.advance(60_000);
    await until(async () => (await deliveries(opened, "delivered")).length === 1);
    expect(await healthOf(opened)).toEqual({ circuit: "closed", failures: 0, failingSince: null, blockedUntil: null });
    expect(await database.query(`select held_until from ${schema}.endpoints`)).toEqual([{ held_until: null }]);
  });

  it("N4 N7 disables an endpoint after five days of nothing but failure, holds its events, and starts anew when enabled", async () => {
    const opened = await open({ disableAfterMs: undefined, circuitBreaker: null });
    const { dispatcher, receiver, clock, endpoint } = opened;
    await dispatcher.start();
    const startMs = clock.now();
    // Very many failures within five days do not disable it.
    await dispatcher.publishMany(Array.from({ length: 100 }, () => EVENT));
    await until(async () => (await healthOf(opened))?.failures === 100);
    clock.advanceTo(startMs + 5 * DAY_MS - 1);
    await until(async () => (await healthOf(opened))?.failures === 200);
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({
      active: true,
      health: { failingSince: new Date(startMs) },
    });
    clock.advance(60_000);
    const disabled = await until(async () => {
      const found = await dispatcher.endpoints.get(endpoint);
      return found?.active === false && found;
    });
    expect(disabled).toMatchObject({ disabledReason: "Every attempt failed for 5 days." });
    await dispatcher.publish(EVENT);
    await until(async () => (await dispatcher.deliveries.list({ tenantId: TENANT, status: "held" })).deliveries[0]);

    receiver.answerWith({ status: 200 });
    await dispatcher.endpoints.enable(endpoint);
    expect(await healthOf(opened)).toMatchObject({ failures: 0, failingSince: null });
    // What was still on its way when it was disabled is found by a sweep.
    await until(async () => {
      clock.advance(10_000);
      return (await deliveries(opened, "delivered")).length === 101;
    });
  });

  it("N4 N7 counts the time of failure from the last success on, and not at all where the policy says null", async () => {
    const opened = await open({ disableAfterMs: DAY_MS, circuitBreaker: null });
    const { dispatcher, receiver, clock, endpoint } = opened;
    await dispatcher.start();
    await dispatcher.publishMany(Array.from({ length: 10 }, () => EVENT));
    await until(async () => (await healthOf(opened))?.failures === 10);
    clock.advance(DAY_MS - 1);
    receiver.answerWith({ status: 200 });
    await until(async () => (await healthOf(opened))?.failures === 0);
    receiver.answerWith({ status: 500 });
    await dispatcher.publishMany(Array.from({ length: 10 }, () => EVENT));
    await until(async () => (await healthOf(opened))?.failures === 10);
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ active: true });

    await dispatcher.endpoints.update(endpoint, { policy: { disableAfterMs: null } });
    clock.advance(3 * DAY_MS);
    await until(async () => (await healthOf(opened))?.failures === 20);
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ active: true });
  });
});
