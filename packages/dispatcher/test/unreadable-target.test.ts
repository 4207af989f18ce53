import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

const OTHER_KEY = Buffer.alloc(32, 8).toString("base64");

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("puts a delivery off at growing intervals while its target cannot be decrypted, and makes it when it can", async () => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { clock });
    const { dispatcher, another, logged } = opened;
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const without = another({ encryptionKey: OTHER_KEY });
    await without.start();
    const attempts = async (count: number) =>
      until(async () => {
        clock.advance(10);
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
        const [first] = deliveries;
        const detail = first && (await dispatcher.deliveries.get(first));
        return detail && detail.log.length >= count && detail;
      });
    const waitsMs: number[] = [];
    // More often than the whole schedule has attempts.
    for (let count = 1; count <= 12; count += 1) {
      const delivery = await attempts(count);
      const last = delivery.log.at(-1);
      expect(delivery.status).toBe("pending");
      expect(last).toMatchObject({ attempt: count, outcome: "retry", errorCode: "decrypt_failed" });
      expect(last?.reason).toMatch(/no key with id [0-9a-f]+ is configured/);
      waitsMs.push((last?.nextAttemptAt?.getTime() ?? 0) - (last?.startedAt.getTime() ?? 0));
      clock.advanceTo(last?.nextAttemptAt ?? 0);
    }
    const growing = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1280, 1280, 1280];
    expect(waitsMs).toEqual(growing.map((seconds) => seconds * 1_000));
    expect(logged.at(-1)).toMatchObject({
      level: "error",
      message: "the target cannot be decrypted; the delivery waits",
    });
    // Of the log: the delivery itself may have been read just before.
    const last = (await attempts(13)).log.at(-1);
    await without.stop();
    clock.advanceTo(last?.nextAttemptAt ?? 0);
    await another({ encryptionKey: [OTHER_KEY, ENCRYPTION_KEY] }).start();
    const delivered = await until(async () => {
      clock.advance(10);
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return deliveries[0];
    });
    expect(delivered.attempts).toBe(14);
    expect(receiver.requests).toHaveLength(1);
  });

  it("W9 judges by its condition what was put off, and keeps no trace of what does not fit", async () => {
    const clock = createVirtualClock();
    const { dispatcher, another } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    const target = { url: receiver.url };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"], condition: { n: 2 } });
    for (const n of [1, 2]) await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: { n } });
    const without = another({ encryptionKey: OTHER_KEY });
    await without.start();
    const list = () => dispatcher.deliveries.list({ tenantId: TENANT }).then(({ deliveries }) => deliveries);
    await until(async () => (await list()).filter(({ attempts }) => attempts > 0).length === 2);
    await without.stop();
    await dispatcher.start();
    const left = await until(async () => {
      clock.advance(1_000);
      const deliveries = await list();
      return deliveries.length === 1 && deliveries[0]?.status === "delivered" && deliveries;
    });
    expect(receiver.requests.map((request) => request.json())).toMatchObject([{ data: { n: 2 } }]);

    // By hand it is sent whatever the condition says.
    await dispatcher.deliveries.retry({ tenantId: TENANT, id: left[0]?.id ?? "" });
    await receiver.waitFor(2);
  });

  it("leaves the whole schedule to a delivery that was put off", async () => {
    const clock = createVirtualClock();
    const { dispatcher, another } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver({
      answer: () => ({ status: 500 }),
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    const policy = { retrySchedule: { delaysMs: [1_000, 1_000], jitterRatio: 0 } };
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"], policy });
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const without = another({ encryptionKey: OTHER_KEY });
    await without.start();
    const first = () => dispatcher.deliveries.list({ tenantId: TENANT }).then(({ deliveries }) => deliveries[0]);
    await until(async () => (await first())?.attempts === 1);
    await without.stop();
    await dispatcher.start();
    const ended = await until(async () => {
      clock.advance(500);
      const delivery = await first();
      return delivery?.endedAt && delivery;
    });
    expect(ended).toMatchObject({ status: "dead", ending: "exhausted", attempts: 4 });
    expect(receiver.requests).toHaveLength(3);
  });
});
