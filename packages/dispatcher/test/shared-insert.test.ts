import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT } from "./open-dispatcher.js";

const event = (n: number, more: object = {}) => ({ tenantId: TENANT, type: "a.b", data: { n }, ...more });

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  /** With the number of events in each insert. */
  const open = async () => {
    const opened = await openDispatcher(databases);
    const inserts: number[] = [];
    const counting = {
      ...opened.database,
      query: async (text: string, params?: readonly unknown[]) => {
        if (text.includes(".events\n") && text.includes("insert into"))
          inserts.push(String(params?.[0]).split("\u001e").length);
        return opened.database.query(text, params);
      },
    };
    return { ...opened, dispatcher: opened.another({ database: counting } as object), inserts };
  };

  it("publishes what callers give at the same time in one insert, and answers each its own event", async () => {
    const { dispatcher, inserts } = await open();
    const receiver = await openReceiver();
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.start();
    const published = await Promise.all(Array.from({ length: 50 }, (_, n) => dispatcher.publish(event(n))));
    expect(inserts.reduce((sum, count) => sum + count, 0)).toBe(50);
    expect(inserts.length).toBeLessThanOrEqual(3);
    for (const [n, { id, duplicate }] of published.entries()) {
      expect(duplicate).toBe(false);
      expect((await dispatcher.events.get({ tenantId: TENANT, id }))?.data).toEqual({ n });
    }
    await receiver.waitFor(50);
  });

  it("refuses the one that the database refuses, and publishes those beside it", async () => {
    const { dispatcher, database, schema } = await open();
    await database.query(`alter table ${schema}.events add constraint small check (body <> '{"n":3}')`);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => dispatcher.publish(event(n))));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, true, true, false, true, true]);
    expect(outcomes[3]).toMatchObject({ reason: { code: "query_failed", sqlState: "23514" } });
    const { events } = await dispatcher.events.list({ tenantId: TENANT });
    expect(events.map(({ data }) => (data as { n: number }).n).sort()).toEqual([0, 1, 2, 4, 5]);
  });

  it("takes what is wrong for the catalogue or too large out before", async () => {
    const { dispatcher } = await open();
    const outcomes = await Promise.allSettled([
      dispatcher.publish(event(0)),
      dispatcher.publish(event(1, { type: "" })),
      dispatcher.publish(event(2, { data: { text: "x".repeat(300_000) } })),
      dispatcher.publish(event(3)),
    ]);
    expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "ok"))).toEqual([
      "ok",
      "invalid_event",
      "event_too_large",
      "ok",
    ]);
  });

  it("lets no idempotency key or id get lost among publications at the same time", async () => {
    const { dispatcher } = await open();
    const settled = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => dispatcher.publish(event(1, { idempotencyKey: "k" }))),
      dispatcher.publish(event(2, { idempotencyKey: "k" })),
      ...Array.from({ length: 3 }, () => dispatcher.publish(event(3, { id: "evt_same" }))),
      dispatcher.publish(event(4)),
      dispatcher.publish(event(4)),
    ]);
    const answers = settled.map((one) => (one.status === "fulfilled" ? one.value.id : one.reason.code));
    const { events } = await dispatcher.events.list({ tenantId: TENANT });
    const idsOf = (n: number) => events.filter(({ data }) => (data as { n: number }).n === n).map(({ id }) => id);
    // Whichever came first: five say the same as each other, or one does and five are refused.
    const [keyed] = [...idsOf(1), ...idsOf(2)];
    expect([...idsOf(1), ...idsOf(2)]).toHaveLength(1);
    const isFirst = idsOf(1).length === 1;
    expect(answers.slice(0, 6)).toEqual(
      Array.from({ length: 6 }, (_, index) => (index < 5 === isFirst ? keyed : "idempotency_conflict")),
    );
    expect(idsOf(3)).toEqual(["evt_same"]);
    expect(answers.slice(6, 9)).toEqual(["evt_same", "evt_same", "evt_same"]);
    expect(idsOf(4).sort()).toEqual(answers.slice(9).sort());
  });

  it("says that a publication inside a transaction needs it, also beside others that do not", async () => {
    const { dispatcher, database } = await openDispatcher(databases);
    let inside: Promise<unknown> = Promise.resolve();
    const outside = Array.from({ length: 3 }, (_, n) => dispatcher.publish(event(n)));
    await database.transaction(async () => {
      inside = dispatcher.publish(event(9)).catch((error: unknown) => error);
      await inside;
    });
    expect(await inside).toMatchObject({ code: "nested_query" });
    await Promise.all(outside);
    expect((await dispatcher.events.list({ tenantId: TENANT })).events).toHaveLength(3);
  });
});
