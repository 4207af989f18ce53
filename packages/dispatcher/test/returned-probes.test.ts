import { defineDestination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

/** Plans as the data say. */
const moody = defineDestination<{ readonly url: string }>({
  id: "moody",
  plan: (event, { endpoint }) => {
    const { mood } = event.data as { mood?: "skip" | "throw" };
    if (mood === "throw") throw new Error("It cannot be planned.");
    if (mood === "skip") return null;
    return {
      kind: "request",
      request: { method: "POST", url: endpoint.target.url, headers: {}, body: JSON.stringify(event.data) },
    };
  },
});
const OPEN_MS = 10_000;

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  /** An endpoint whose circuit breaker one failure has opened, which answers well from now on. */
  const open = async (policy: object = {}) => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, {
      clock,
      circuitBreaker: { failures: 1, openMs: OPEN_MS },
      retrySchedule: { delaysMs: [3_600_000], jitterRatio: 0 },
      destinations: [moody],
    });
    const { dispatcher, database, schema } = opened;
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      destination: "moody",
      target: { url: receiver.url },
      events: ["*"],
      policy,
    });
    await dispatcher.start();
    const publish = (data: object, orderingKey?: string) =>
      dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data, ...(orderingKey && { orderingKey }) });
    const circuit = async () => (await dispatcher.endpoints.get(endpoint))?.health.circuit;
    const untilOutside = (count: number) =>
      until(async () => {
        const rows = await database.query(`select from ${schema}.queue where state = 2 and not leased`);
        return rows.length === count;
      });
    await publish({ n: 1 }, "k");
    await until(async () => (await circuit()) === "open");
    receiver.answerWith({ status: 200 });
    return { ...opened, clock, receiver, endpoint, publish, circuit, untilOutside };
  };

  it.each(["skip", "throw"])(
    "N5 N7 lets the next delivery be the probe where the plan of one says %s",
    async (mood) => {
      const { clock, receiver, publish, circuit, untilOutside } = await open();
      for (const data of [{ mood }, { mood }, { n: 2 }]) await publish(data);
      await untilOutside(3);
      clock.advance(OPEN_MS);
      await receiver.waitFor(2);
      await until(async () => (await circuit()) === "closed");
    },
  );

  it("N5 N7 lets another delivery be the probe where it is not the turn of the first one", async () => {
    const { clock, database, schema, receiver, publish, circuit, untilOutside } = await open({ ordering: "block" });
    // Behind the one that waits for its retry, and yet outside the line.
    const behind = await publish({ n: 2 }, "k");
    await publish({ n: 3 });
    await database.query(`update ${schema}.queue set state = 2, leased = false, next_at = '2020-01-01'
      where event_id = '${behind.id}'`);
    await untilOutside(2);
    clock.advance(OPEN_MS);
    await receiver.waitFor(2);
    expect(receiver.requests.map(({ body }) => JSON.parse(body.toString()))).toEqual([{ n: 1 }, { n: 3 }]);
    await until(async () => (await circuit()) === "closed");
  });

  it("N5 N7 makes the probe soon after a worker was found that does not have the destination", async () => {
    const { dispatcher, another, clock, receiver, publish, circuit, untilOutside } = await open();
    await publish({ n: 2 });
    await untilOutside(1);
    await dispatcher.stop();
    const without = another({ destinations: [] });
    await without.start();
    clock.advance(OPEN_MS);
    await until(async () => {
      const waiting = (await without.deliveries.list({ tenantId: TENANT, status: "pending" })).deliveries;
      return waiting.some(({ nextAttemptAt }) => nextAttemptAt?.getTime() === clock.now() + 5_000);
    });
    await without.stop();
    await another().start();
    clock.advance(5_000);
    await receiver.waitFor(2);
    await until(async () => (await circuit()) === "closed");
  });
});
