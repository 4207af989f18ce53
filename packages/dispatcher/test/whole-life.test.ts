import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RETRY_SCHEDULE } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N4 N7 E14 W5 lives through the schedule of 75 hours, a rotation with its overlap, the disabling after five days, and the return", async () => {
    const clock = createVirtualClock();
    const disabled: object[] = [];
    const mails: { readonly to: string; readonly text: string }[] = [];
    const { dispatcher } = await openDispatcher(databases, {
      clock,
      random: () => 0.5,
      hooks: { onEndpointDisabled: (told: object) => void disabled.push(told) },
      mailer: { send: async (mail: (typeof mails)[number]) => void mails.push(mail) },
    });
    const receiver = await openReceiver({
      answer: () => ({ status: 503 }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      name: "Billing",
      target: { url: receiver.url },
      events: ["ticket.*"],
      contactAddress: "ops@acme.example",
    });
    const alerts = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: alerts.url }, events: ["endpoint.*"] });
    await dispatcher.start();
    const startMs = clock.now();
    const delivery = (id: string) => dispatcher.deliveries.get({ tenantId: TENANT, id });
    const only = async (eventId: string) => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, eventId });
      return deliveries[0]?.id ?? "";
    };
    const tried = (id: string, attempts: number) =>
      until(async () => {
        const found = await delivery(id);
        return found?.attempts === attempts && found;
      });
    /** On to its next attempt, and not a moment earlier. */
    const next = async (id: string, attempts: number) => {
      const waiting = await tried(id, attempts);
      clock.advanceTo((waiting.nextAttemptAt?.getTime() ?? 0) - 1);
      clock.advance(1);
    };

    // The secret is replaced at once; the old one signs beside it for a day.
    const { secret } = await dispatcher.endpoints.rotateSecret({ tenantId: TENANT, id: endpoint.id });
    const first = await only((await dispatcher.publish(EVENT)).id);
    for (let attempts = 1; attempts < 10; attempts += 1) await next(first, attempts);
    const dead = await until(async () => {
      const found = await delivery(first);
      return found?.status === "dead" && found;
    });
    expect(dead).toMatchObject({ ending: "exhausted", attempts: 10 });
    const startsMs = dead.log.map(({ startedAt }) => startedAt.getTime() - startMs);
    let sumMs = 0;
    expect(startsMs).toEqual([0, ...RETRY_SCHEDULE.delaysMs.map((delayMs) => (sumMs += delayMs))]);
    expect(sumMs).toBeGreaterThan(75 * HOUR_MS);
    const signatures = receiver.requests.map(({ headers }) => headers["webhook-signature"]?.split(" ").length);
    expect(signatures).toEqual(startsMs.map((ms) => (ms < DAY_MS ? 2 : 1)));
    receiver.useSecret(secret);
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({
      active: true,
      health: { circuit: "open", failures: 10, failingSince: new Date(startMs) },
    });

    // Another event waits behind the open circuit breaker: probes fail until five days are over.
    const second = await only((await dispatcher.publish({ ...EVENT, data: { number: 2 } })).id);
    await until(async () => {
      const found = await dispatcher.endpoints.get(endpoint);
      if (found?.active === false) return true;
      const dueMs = Math.max(
        (await delivery(second))?.nextAttemptAt?.getTime() ?? 0,
        found?.health.blockedUntil?.getTime() ?? 0,
      );
      clock.advanceTo(Math.max(dueMs, clock.now() + 100));
      return false;
    });
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(5 * DAY_MS);
    await until(() => {
      // Not so fast that a lease runs out while its attempt is made: that would mail twice.
      clock.advance(50);
      return mails.length > 0 && alerts.requests.length > 0 && disabled.length > 0;
    });
    expect(disabled).toMatchObject([
      { tenantId: TENANT, endpointId: endpoint.id, cause: "failing", failingSince: new Date(startMs).toISOString() },
    ]);
    expect(alerts.requests[0]?.json()).toMatchObject({ type: "endpoint.disabled", data: { endpointName: "Billing" } });
    expect(mails).toMatchObject([{ to: "ops@acme.example", text: expect.stringContaining("held and not lost") }]);
    const asked = receiver.requests.length;

    // Nothing more goes there until somebody has repaired it; what was given up is recovered.
    const third = await only((await dispatcher.publish({ ...EVENT, data: { number: 3 } })).id);
    expect(await delivery(third)).toMatchObject({ status: "held" });
    clock.advance(DAY_MS);
    expect(receiver.requests).toHaveLength(asked);
    receiver.answerWith({ status: 200 });
    await dispatcher.endpoints.enable(endpoint);
    const until5 = new Date(clock.now());
    await until(async () => {
      clock.advance(1_000);
      const found = await Promise.all([delivery(second), delivery(third)]);
      return found.every((each) => each?.status === "delivered");
    });
    await dispatcher.recover({
      tenantId: TENANT,
      endpointId: endpoint.id,
      since: new Date(startMs),
      until: until5,
      status: "dead",
    });
    await until(async () => {
      clock.advance(1_000);
      return (await delivery(first))?.status === "delivered";
    });
    expect(receiver.requests.at(-1)).toMatchObject({ verified: true });
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({
      active: true,
      disabledAt: null,
      disabledReason: null,
      health: { circuit: "closed", failures: 0, failingSince: null },
    });
  });
});
