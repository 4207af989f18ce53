import type { Destination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { direct, EVENT, messages, openWith, QUICK } from "./message-destination.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = (destination: Destination, options: object = QUICK) => openWith(databases, destination, options);

  it("keeps the state of an entity however long its name is", async () => {
    // What Postgres could pack into an index is not what it is about.
    const machine = Array.from({ length: 2_000 }, (_, n) => `${(n * 7919) % 10_007}`).join("-");
    const { dispatcher, logged } = await open(messages as Destination);
    const receiver = await openReceiver({ answer: () => ({ body: '{"id":"msg1"}' }) });
    await dispatcher.subscribe({
      key: "k",
      tenantId: TENANT,
      destination: "messages",
      events: ["*"],
      target: { url: receiver.url },
    });
    for (const type of ["machine.registered", "machine.approved"]) {
      await dispatcher.publish({ ...EVENT, type, data: { machine } });
      await receiver.waitFor(type === "machine.registered" ? 1 : 2);
    }
    expect(receiver.requests.map(({ method }) => method)).toEqual(["POST", "PATCH"]);
    expect(logged).toEqual([]);
  });

  it("ends a delivery whose outcome the database refuses, and records those beside it", async () => {
    const { dispatcher, database, schema, logged } = await openDispatcher(databases, {
      ...QUICK,
      destinations: [
        {
          id: "work",
          entityOf: (event) => (event.data as { n: string }).n,
          plan: (event) => ({
            kind: "run",
            run: async () => ({
              outcome: (event.data as { n: string }).n === "refused" ? "retry" : "delivered",
              state: event.data,
            }),
          }),
        },
      ],
    });
    await database.query(
      `alter table ${schema}.states add constraint nothing
       check (state not in ('{"n":"refused"}', '{"n":"stateless"}'))`,
    );
    await dispatcher.subscribe({ key: "k", tenantId: TENANT, destination: "work", events: ["*"], target: null });
    await dispatcher.publishMany(["a", "refused", "b", "stateless", "c"].map((n) => ({ ...EVENT, data: { n } })));
    await dispatcher.start();
    const ended = await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
      return deliveries.every(({ endedAt }) => endedAt !== null) && deliveries;
    });
    expect(ended.map(({ status }) => status).sort()).toEqual([
      "dead",
      "delivered",
      "delivered",
      "delivered",
      "delivered",
    ]);
    expect(ended.find(({ status }) => status === "dead")).toMatchObject({
      ending: "refused",
      reason: "What the attempt came to could not be stored.",
    });
    const states = await database.query<{ entity: string }>(
      `select entity from ${schema}.states where state <> 'null' order by entity`,
    );
    expect(states.map(({ entity }) => entity)).toEqual(["a", "b", "c"]);
    expect(logged.length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    { what: "a wait of NaN", answer: { outcome: "retry", retryAfterMs: Number.NaN } },
    { what: "an endless wait", answer: { outcome: "retry", retryAfterMs: Number.POSITIVE_INFINITY } },
    { what: "an exact wait of NaN", answer: { outcome: "retry", retryInMs: Number.NaN } },
    { what: "an outcome that there is not", answer: { outcome: "perhaps" } },
    { what: "a reason that is no text", answer: { outcome: "retry", reason: 7 } },
  ])("counts and logs an attempt whose destination answers $what", async ({ answer }) => {
    const receiver = await openReceiver();
    const { dispatcher } = await open({
      id: "work",
      plan: () => ({ kind: "request", request: { method: "POST", url: receiver.url, headers: {}, body: "" } }),
      interpret: () => answer as never,
    });
    await dispatcher.send(direct());
    const ended = await untilDelivery(dispatcher, ({ endedAt }) => endedAt !== null);
    expect(receiver.requests).toHaveLength(ended.attempts);
    expect(ended.log).toHaveLength(ended.attempts);
    expect(ended.attempts).toBe(answer.outcome === "retry" ? 3 : 1);
  });

  it("begins no attempt that its lease may not outlive, also when the state took long to load", async () => {
    const clock = createVirtualClock();
    const opened = await openDispatcher(databases, { clock, destinations: [messages as Destination] });
    const receiver = await openReceiver({ answer: () => ({ body: '{"id":"msg1"}' }) });
    let loads = 0;
    const slow = {
      ...opened.database,
      query: (text: string, params?: readonly unknown[]) => {
        if (text.includes(".states as known")) {
          loads += 1;
          if (loads === 1) clock.advance(50_000);
        }
        return opened.database.query(text, params);
      },
    };
    const dispatcher = opened.another({ database: slow } as object);
    await dispatcher.subscribe({
      key: "k",
      tenantId: TENANT,
      destination: "messages",
      events: ["*"],
      target: { url: receiver.url },
    });
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await until(async () => {
      clock.advance(20);
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return deliveries.length === 1;
    });
    expect(loads).toBe(2);
    expect(receiver.requests).toHaveLength(1);
  });

  it("sends what is about no entity side by side, and what is about one in turn", async () => {
    let running = 0;
    let most = 0;
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const opened = await openDispatcher(databases, {
      destinations: [
        {
          id: "work",
          entityOf: (event) => (event.data as { entity?: string }).entity,
          plan: () => ({
            kind: "run",
            async run() {
              running += 1;
              most = Math.max(most, running);
              await gate;
              running -= 1;
              return { outcome: "delivered" };
            },
          }),
        },
      ],
    });
    const { dispatcher } = opened;
    await dispatcher.subscribe({ key: "k", tenantId: TENANT, destination: "work", events: ["*"], target: null });
    await dispatcher.start();
    await dispatcher.publishMany([{}, {}, {}, { entity: "m" }, { entity: "m" }].map((data) => ({ ...EVENT, data })));
    await until(() => running === 4);
    open();
    await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return deliveries.length === 5;
    });
    expect(most).toBe(4);
  });

  it("N4 does not disable an endpoint for what its former URL answered, and sends it to the new one", async () => {
    const { dispatcher } = await openDispatcher(databases);
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const gone = await openReceiver({ answer: () => gate.then(() => ({ status: 410 })) });
    const fine = await openReceiver();
    const endpoint = await subscribeReceiver(dispatcher, gone);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await gone.waitFor(1);
    await dispatcher.endpoints.update(endpoint, { target: { url: fine.url } });
    open();
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ active: true, disabledReason: null });
    expect(fine.requests).toHaveLength(1);
  });
});
