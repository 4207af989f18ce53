import { AsyncResource } from "node:async_hooks";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStatements } from "../src/sql/statements.js";
import { messages } from "./message-destination.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until } from "./open-dispatcher.js";

const ONCE = { retrySchedule: { delaysMs: [] }, destinations: [messages] };
const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  /** One delivery that has ended as dead, of a dispatcher that is stopped. */
  const openWithDead = async () => {
    const opened = await openDispatcher(databases, ONCE);
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    await subscribeReceiver(opened.dispatcher, receiver);
    await opened.dispatcher.start();
    const event = await opened.dispatcher.publish(EVENT);
    const dead = await until(
      async () => (await opened.dispatcher.deliveries.list({ tenantId: TENANT, status: "dead" })).deliveries[0],
    );
    await opened.dispatcher.stop();
    return { ...opened, receiver, event, dead, statements: createStatements(opened.schema) };
  };

  const OLD = { before: "2999-01-01T00:00:00.000Z", after: null, limit: 10, isExpunged: false };
  const NOW = "2026-01-01T00:00:00.000Z";

  it("N1 keeps an old event that was put back after retention chose it", async () => {
    const { database, statements, event, dead } = await openWithDead();
    // As a choice does that was made before the retry was committed.
    const requeued = await statements.requeueDeliveries(database.query, { tenantId: TENANT, ids: [dead.id] }, NOW);
    expect(requeued).toEqual([{ id: dead.id }]);
    expect(await statements.emptyOld(database.query, "events", { ids: [event.id], now: NOW })).toEqual([]);
    expect(await statements.removeOld(database.query, "events", [event.id])).toEqual([]);
    expect(await statements.getEvent(database.query, { tenantId: TENANT, id: event.id })).toMatchObject([
      { body: JSON.stringify(EVENT.data), expunged_at: null },
    ]);
    const old = await statements.lockOld(database.query, "events", OLD);
    expect(old.map(({ id }) => id)).not.toContain(event.id);
  });

  it("N1 puts nothing back of an event that retention is just removing, and says that there is no such delivery", async () => {
    const { dispatcher, database, schema, statements, event, dead } = await openWithDead();
    // From outside the transaction that is open meanwhile: it has to wait for the row.
    const retryBeside = AsyncResource.bind(() => dispatcher.deliveries.retryMany({ tenantId: TENANT, ids: [dead.id] }));
    const { retried } = await database.transaction(async ({ query }) => {
      const old = await statements.lockOld(query, "events", OLD);
      expect(old.map(({ id }) => id)).toContain(event.id);
      const retry = retryBeside();
      if (database.kind === "postgres") {
        await until(async () => {
          const waiting = await query(
            "select from pg_locks where not granted and locktype in ('transactionid', 'tuple')",
          );
          return waiting.length > 0;
        });
      }
      expect(await statements.removeOld(query, "events", [event.id])).toEqual([{ id: event.id }]);
      return { retried: retry };
    });
    const refused = { id: dead.id, status: "refused", code: "delivery_not_found", detail: expect.any(String) };
    expect((await retried).results).toEqual([refused]);
    expect(await database.query(`select id from ${schema}.queue`)).toEqual([]);
  });

  it.each(["an endpoint", "a direct send"])(
    "ends what waits for %s as dead when what it was about is gone",
    async (of) => {
      const { database, schema, another, receiver } = await openWithDead();
      const dispatcher = another();
      const target = { url: receiver.url };
      if (of === "an endpoint") await dispatcher.publish(EVENT);
      else await dispatcher.send({ tenantId: TENANT, destination: "messages", target, data: { machine: "m1" } });
      const [waiting] = await database.query<{ id: string }>(`select id from ${schema}.queue`);
      await database.query(`delete from ${schema}.events`);
      await database.query(`delete from ${schema}.messages`);
      await dispatcher.start();
      const dead = await until(async () => {
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "dead" });
        return deliveries.find(({ id }) => id === waiting?.id);
      });
      expect(dead).toMatchObject({ ending: "expunged", reason: "The event or direct send is no longer stored." });
      expect(receiver.requests).toHaveLength(1);
    },
  );
});
