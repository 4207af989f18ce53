import type { Destination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, TENANT, until } from "./open-dispatcher.js";

/** Counts in its state how many events there were about an entity; what another attempt overwrites is missing in it. */
function counter(pause: () => Promise<void>) {
  const open = new Map<string, number>();
  const seen: { most: number; readonly counts: Map<string, number> } = { most: 0, counts: new Map() };
  const destination: Destination = {
    id: "counter",
    entityOf: (event) => (event.data as { readonly entity: string }).entity,
    plan: (event, { state }) => ({
      kind: "run",
      async run() {
        const { entity } = event.data as { readonly entity: string };
        const running = (open.get(entity) ?? 0) + 1;
        open.set(entity, running);
        seen.most = Math.max(seen.most, running);
        await pause();
        open.set(entity, running - 1);
        const count = ((state as number | null) ?? 0) + 1;
        seen.counts.set(entity, count);
        return { outcome: "delivered", state: count };
      },
    }),
  };
  return { destination, seen };
}

const eventOf = (entity: string) => ({ tenantId: TENANT, type: "a.b", data: { entity } });

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("has one attempt at a time about an entity, over several workers, and loses no state", async () => {
    const { destination, seen } = counter(() => new Promise((resolve) => setTimeout(resolve, Math.random() * 10)));
    const { dispatcher, another, database, schema, logged } = await openDispatcher(databases, {
      destinations: [destination],
      pollMs: 50,
    });
    await dispatcher.subscribe({
      key: "k",
      tenantId: TENANT,
      destination: "counter",
      events: ["*"],
      target: null,
    });
    await dispatcher.publishMany(Array.from({ length: 40 }, (_, n) => eventOf(`entity-${n % 2}`)));
    // In small bites, so that each worker gets some of both.
    const second = another({ maxInFlight: 4 });
    await Promise.all([dispatcher.start(), second.start()]);
    for (let n = 0; n < 10; n += 1) {
      await Promise.all([dispatcher.publish(eventOf("entity-0")), second.publish(eventOf("entity-1"))]);
      await Promise.all([dispatcher.publish(eventOf("entity-1")), second.publish(eventOf("entity-0"))]);
    }
    await until(async () => {
      const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${schema}.queue`);
      return row?.n === 0;
    });
    expect(seen.most).toBe(1);
    expect(seen.counts).toEqual(
      new Map([
        ["entity-0", 40],
        ["entity-1", 40],
      ]),
    );
    expect(logged).toEqual([]);
  });

  it("goes on with an entity whose holder is gone, once that one's lease has run out", async () => {
    const clock = createVirtualClock();
    let isStuck = true;
    const { destination, seen } = counter(() => (isStuck ? new Promise<void>(() => {}) : Promise.resolve()));
    const { dispatcher, another, database, schema } = await openDispatcher(databases, {
      destinations: [destination],
      clock,
      timeoutMs: 30_000,
    });
    await dispatcher.subscribe({ key: "k", tenantId: TENANT, destination: "counter", events: ["*"], target: null });
    const lost = another();
    await lost.start();
    await lost.publish(eventOf("one"));
    await until(() => seen.most === 1);
    // Its process is gone: nothing of it is written any more.
    await database.query(`update ${schema}.queue set lease_no = lease_no + 1`);
    isStuck = false;
    await dispatcher.start();
    await dispatcher.publish(eventOf("two"));
    await until(() => seen.counts.get("two") === 1);
    expect(seen.counts.has("one")).toBe(false);
    await until(() => {
      clock.advance(1_000);
      return seen.counts.get("one") === 1;
    });
  });
});
