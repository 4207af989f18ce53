import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, TENANT, until } from "../open-dispatcher.js";
import { startBadReceiver } from "./start-bad-receiver.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: {} };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const openEndpoint = async (name: string) => {
    const receiver = await startBadReceiver();
    const { dispatcher } = await openDispatcher(databases, {
      retrySchedule: { delaysMs: Array.from({ length: 20 }, () => 50), jitterRatio: 0 },
    });
    const target = { url: `${receiver.origin}/${name}` };
    await dispatcher.endpoints.create({ tenantId: TENANT, target, events: ["*"] });
    await dispatcher.start();
    const delivered = (eventId: string) =>
      until(async () => {
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, eventId });
        const [delivery] = deliveries;
        if (delivery?.status !== "delivered") return null;
        return dispatcher.deliveries.get({ tenantId: TENANT, id: delivery.id });
      });
    const publish = async () => (await dispatcher.publish(EVENT)).id;
    const closedTimes = (times: number) => until(async () => ((await receiver.seen())[name]?.closed ?? 0) >= times);
    return { receiver, publish, delivered, closedTimes };
  };

  it("N3 N5 takes no answer for another request than the one that it was sent to, however many answers come at once", async () => {
    const { publish, delivered, closedTimes } = await openEndpoint("answers-twice");
    const first = await Promise.all(Array.from({ length: 12 }, publish));
    await closedTimes(1);
    for (const id of [...first, await publish()]) {
      expect((await delivered(id))?.log).toMatchObject([{ status: 200, responseBody: `own ${id}` }]);
    }
  });

  it("N3 N5 uses a connection no more on which the receiver speaks unasked", async () => {
    const { publish, delivered, closedTimes } = await openEndpoint("answers-once-more-later");
    for (let times = 1; times <= 3; times += 1) {
      const id = await publish();
      expect((await delivered(id))?.log).toMatchObject([{ status: 200, responseBody: `own ${id}` }]);
      await closedTimes(times);
    }
  });

  it("N1 N5 tries again, once, what went out on a connection that the receiver closed at that moment", async () => {
    const { receiver, publish, delivered } = await openEndpoint("closes-when-it-is-used-again");
    const first = await publish();
    expect((await delivered(first))?.log).toMatchObject([{ status: 200 }]);
    const second = await publish();
    expect((await delivered(second))?.log).toMatchObject([
      { outcome: "retry", status: null, errorCode: "connection_reset" },
      { outcome: "delivered", status: 200 },
    ]);
    expect((await receiver.seen())["closes-when-it-is-used-again"]).toMatchObject({
      requests: 3,
      accepted: [first, second],
    });
  });

  it("N5 loses no attempt to a receiver that closes each connection after its answer", async () => {
    const { publish, delivered, closedTimes } = await openEndpoint("closes-when-it-has-answered");
    for (let times = 1; times <= 3; times += 1) {
      expect((await delivered(await publish()))?.log).toMatchObject([{ status: 200 }]);
      await closedTimes(times);
    }
  });
});
