import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, untilDelivery } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W3 W5 N7 tries again by the endpoint's own schedule, and no more often than it says", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { clock });
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { maxAttempts: 3, retrySchedule: { delaysMs: [1_000, 2_000, 4_000], jitterRatio: 0 } },
    });
    const startMs = clock.now();
    await dispatcher.publish(EVENT);
    const first = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    expect(first.nextAttemptAt).toEqual(new Date(startMs + 1_000));
    clock.advanceTo(first.nextAttemptAt ?? 0);
    const second = await untilDelivery(dispatcher, ({ attempts }) => attempts === 2);
    expect(second.nextAttemptAt).toEqual(new Date(startMs + 3_000));
    clock.advanceTo(second.nextAttemptAt ?? 0);
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({
      ending: "exhausted",
      attempts: 3,
    });
  });

  it("W3 gives an endpoint the time that it asks for, more than the dispatcher's own or less", async () => {
    const { dispatcher } = await openDispatcher(databases, { timeoutMs: 200, retrySchedule: { delaysMs: [] } });
    await dispatcher.start();
    const patient = await openReceiver({ answer: () => ({ delayMs: 600 }) });
    const target = { url: patient.url };
    const long = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target,
      events: ["a"],
      policy: { timeoutMs: 20_000 },
    });
    await dispatcher.publish({ ...EVENT, type: "a" });
    expect((await untilDelivery(dispatcher, ({ endedAt }) => endedAt !== null)).status).toBe("delivered");
    await dispatcher.endpoints.update(long, { policy: { timeoutMs: 100 } });
    expect((await dispatcher.endpoints.test(long)).attempt.errorCode).toBe("timeout");
  });

  it.each([
    { policy: { retrySchedule: { delaysMs: [-1] } }, path: "policy.retrySchedule.delaysMs" },
    { policy: { retrySchedule: { delaysMs: [Number.NaN] } }, path: "policy.retrySchedule.delaysMs" },
    { policy: { retrySchedule: { delaysMs: [1], jitterRatio: 2 } }, path: "policy.retrySchedule.jitterRatio" },
    { policy: { timeoutMs: 0 }, path: "policy.timeoutMs" },
  ])("W3 refuses a policy with a wrong $path", async ({ policy, path }) => {
    const { dispatcher } = await openDispatcher(databases);
    const input = { tenantId: TENANT, target: { url: "https://example.com" }, events: ["*"], policy };
    await expect(dispatcher.endpoints.create(input)).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path }],
    });
  });
});
