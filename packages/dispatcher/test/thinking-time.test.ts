import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { createThinkingTime } from "../src/thinking-time.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

/** Needs more than the limit of a rendering, on any machine. */
const SLOW = `{% assign a = (1..100000) %}{{ a ${"| default: 1 ".repeat(2_000)}| size }}`;

describe("thinking time", () => {
  it("gives a tenant a second at once and a tenth of the time then, and counts nothing short", () => {
    let nowMs = 0;
    const thinking = createThinkingTime(() => nowMs);
    const think = (tenantId: string, ms: number) =>
      thinking.timed(tenantId, () => {
        nowMs += ms;
        return ms;
      });
    for (let times = 0; times < 1_000; times += 1) think("quick", 5);
    expect(thinking.waitMs("quick")).toBe(0);
    for (let times = 0; times < 10; times += 1) expect(think("slow", 110)).toBe(110);
    // 1,100 ms less a tenth of the 990 ms since the first of them.
    expect(thinking.waitMs("slow")).toBe(10);
    expect(() =>
      thinking.timed("slow", () => {
        nowMs += 200;
        throw new Error("too slow");
      }),
    ).toThrow("too slow");
    expect(thinking.waitMs("slow")).toBe(1_810);
    nowMs += 1_810;
    expect([thinking.waitMs("slow"), thinking.waitMs("quick")]).toEqual([0, 0]);
  });

  it("forgets no tenant that has to wait for those that do not", () => {
    let nowMs = 0;
    const thinking = createThinkingTime(() => nowMs);
    for (let tenant = 0; tenant < 1_000; tenant += 1) {
      thinking.timed(`tenant ${tenant}`, () => {
        nowMs += 6;
      });
    }
    thinking.timed("slow", () => {
      nowMs += 5_000;
    });
    expect(thinking.waitMs("slow")).toBe(40_000);
  });
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("N4 N5 lets a tenant's slow templates hold the process up for a second and then wait, while others are served", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { clock });
    const receiver = await openReceiver();
    const target = { url: receiver.url };
    for (const events of [["a.*"], ["a.b"]]) {
      await dispatcher.endpoints.create({ tenantId: "slow", target: { ...target, template: SLOW }, events });
    }
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await dispatcher.start();
    const count = 4;
    await dispatcher.publishMany(Array.from({ length: count }, () => ({ tenantId: "slow", type: "a.b", data: {} })));
    const ended = async () =>
      (await dispatcher.deliveries.list({ tenantId: "slow", status: "dead", limit: 200 })).deliveries;
    // Each takes 250 ms at least: the sixth at the latest is one too many, and the rest is set aside.
    await until(async () => {
      const { queue, inFlight, waiting } = await dispatcher.health();
      return queue?.due === 0 && inFlight + waiting === 0 && (await ended()).length > 0;
    });
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    await receiver.waitFor(1);
    expect((await ended()).length).toBeLessThan(2 * count);
    // None of them is lost, and none has lost an attempt by it.
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: "slow", limit: 200 });
    expect(deliveries).toHaveLength(2 * count);
    const waiting = deliveries.filter(({ status }) => status === "pending");
    expect(waiting.map(({ attempts }) => attempts)).toEqual(waiting.map(() => 0));
    await until(async () => {
      clock.advance(5_000);
      return (await ended()).length === 2 * count;
    }, 50);
    expect((await ended()).every(({ reason }) => reason?.includes("limit exceeded"))).toBe(true);
  });
});
