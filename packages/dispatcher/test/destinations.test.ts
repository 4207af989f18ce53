import type { Destination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { direct, EVENT, messages, openWith, QUICK } from "./message-destination.js";
import { openDispatcher, openReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = (destination: Destination, options: object = QUICK) => openWith(databases, destination, options);

  it("E4 tries again after exactly the time that a destination names, where the schedule would wait for hours", async () => {
    let tries = 0;
    const { dispatcher } = await open(
      {
        id: "work",
        plan: () => ({
          kind: "run",
          run: async () => {
            tries += 1;
            return tries < 3 ? { outcome: "retry", reason: "busy", retryInMs: 1 } : { outcome: "delivered" };
          },
        }),
      },
      { retrySchedule: { delaysMs: [3_600_000, 3_600_000, 3_600_000], jitterRatio: 0 } },
    );
    await dispatcher.send(direct());
    const ended = await untilDelivery(dispatcher, ({ endedAt }) => endedAt !== null);
    expect(ended).toMatchObject({ status: "delivered", attempts: 3 });
  });

  it("waits as long as a destination asks for, without an attempt", async () => {
    let asked = 0;
    const { dispatcher } = await open(
      {
        id: "work",
        plan: () => {
          asked += 1;
          return asked < 4 ? { kind: "wait", waitMs: 1 } : { kind: "run", run: async () => ({ outcome: "delivered" }) };
        },
      },
      { retrySchedule: { delaysMs: [], jitterRatio: 0 } },
    );
    await dispatcher.send(direct());
    const ended = await untilDelivery(dispatcher, ({ endedAt }) => endedAt !== null);
    expect(ended).toMatchObject({ status: "delivered", attempts: 1 });
    expect(asked).toBe(4);
  });

  it("waits no longer than to the deadline, at which it calls expire", async () => {
    const expired: string[] = [];
    const { dispatcher } = await open({
      id: "work",
      plan: () => ({ kind: "wait", waitMs: 3_600_000 }),
      expire: async ({ type }) => void expired.push(type),
    });
    await dispatcher.send(direct({ deadline: new Date(Date.now() + 300) }));
    const ended = await untilDelivery(dispatcher, ({ endedAt }) => endedAt !== null);
    expect(ended?.log).toMatchObject([{ errorCode: "expired" }]);
    expect(expired).toHaveLength(1);
  });

  it("keeps a state for each endpoint and entity, so that a second event edits the first one's message", async () => {
    const { dispatcher } = await open(messages);
    let sent = 0;
    const receiver = await openReceiver({
      answer: ({ method }) => {
        if (method === "POST") sent += 1;
        return { body: JSON.stringify({ id: `msg${sent}` }), delayMs: 20 };
      },
    });
    const { endpointId } = await dispatcher.subscribe({
      key: "channel",
      tenantId: TENANT,
      destination: "messages",
      events: ["machine.*"],
      target: { url: receiver.url },
    });
    // Published at once: the second has to wait for what the first one's answer says.
    await dispatcher.publishMany([
      EVENT,
      { ...EVENT, type: "machine.approved" },
      { ...EVENT, data: { machine: "m2" } },
    ]);
    const requests = await receiver.waitFor(3);
    const seen = requests.map(({ method, path, body }) => `${method} ${path} ${body}`).sort();
    expect(seen[0]).toMatch(/^PATCH \/webhooks\/msg[12] {"machine":"m1"}$/);
    expect(seen.slice(1)).toEqual(['POST /webhooks {"machine":"m1"}', 'POST /webhooks {"machine":"m2"}']);
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id: endpointId })).toMatchObject({ key: "channel" });
  });

  it("makes one endpoint of a subscription, however often it is made, and changes it", async () => {
    const { dispatcher, another } = await open(messages);
    const subscription = { key: "k", tenantId: TENANT, destination: "messages", events: ["a.b"], target: { url: "x" } };
    const ids = await Promise.all([1, 2, 3].map(() => dispatcher.subscribe(subscription)));
    expect(new Set(ids.map(({ endpointId }) => endpointId)).size).toBe(1);
    await another({ destinations: [messages] }).subscribe({ ...subscription, events: ["a.*"], target: { url: "y" } });
    const { endpoints } = await dispatcher.endpoints.list({ tenantId: TENANT });
    expect(endpoints).toMatchObject([{ events: ["a.*"], target: { url: "y" }, active: true, destination: "messages" }]);
    await expect(dispatcher.subscribe({ ...subscription, destination: "nobody" })).rejects.toMatchObject({
      code: "unknown_destination",
    });
    await expect(dispatcher.subscribe({ ...subscription, destination: "webhook" })).rejects.toMatchObject({
      code: "invalid_endpoint",
    });
  });

  it("sends one delivery without an endpoint, with its target encrypted at rest", async () => {
    const seen: unknown[] = [];
    const { dispatcher, database, schema } = await open({
      id: "work",
      plan: (event, context) => ({
        kind: "run",
        run: async () => {
          seen.push({ data: event.data, target: context.endpoint.target, id: context.endpoint.id, n: context.attempt });
          return { outcome: "delivered" };
        },
      }),
    });
    const { deliveryId, duplicate } = await dispatcher.send(direct({ target: { token: "hush" } }));
    expect(duplicate).toBe(false);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered).toMatchObject({ id: deliveryId, endpointId: null, eventId: null, destination: "work" });
    expect(seen).toEqual([{ data: { n: 1 }, target: { token: "hush" }, id: null, n: 1 }]);
    const [row] = await database.query<{ target: string }>(`select target from ${schema}.messages`);
    expect(row?.target).not.toContain("hush");
  });

  it("makes one delivery of sends with the same idempotency key", async () => {
    const destinations = [{ ...messages, id: "work" }];
    const { dispatcher, another } = await openDispatcher(databases, { destinations });
    const first = await dispatcher.send(direct({ idempotencyKey: "k" }));
    expect(await dispatcher.send(direct({ idempotencyKey: "k" }))).toEqual({ ...first, duplicate: true });
    await expect(dispatcher.send(direct({ idempotencyKey: "k", data: 2 }))).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
    await expect(dispatcher.send(direct({ idempotencyKey: "k", target: { to: "b" } }))).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
    const withoutKey = another({ destinations, encryptionKey: Buffer.alloc(32, 8).toString("base64") });
    expect(await withoutKey.send(direct({ idempotencyKey: "k" }))).toEqual({ ...first, duplicate: true });
    expect((await dispatcher.send(direct({ idempotencyKey: "k", tenantId: "globex" }))).duplicate).toBe(false);
    await expect(dispatcher.send(direct({ destination: "nobody" }))).rejects.toMatchObject({
      code: "unknown_destination",
    });
    await expect(dispatcher.send(direct({ destination: "webhook" }))).rejects.toMatchObject({
      code: "invalid_message",
    });
    for (const deadline of [new Date(253_402_300_800_000), new Date(-62_135_596_800_001)]) {
      await expect(dispatcher.send(direct({ deadline }))).rejects.toMatchObject({
        code: "invalid_message",
        issues: [{ path: "deadline" }],
      });
    }
    await expect(dispatcher.send(direct({ data: undefined }))).rejects.toMatchObject({ code: "invalid_message" });
  });

  it("counts a plan that throws as dead with its reason, at once", async () => {
    const { dispatcher } = await open({
      id: "work",
      plan: () => {
        throw new Error("no channel for this");
      },
    });
    await dispatcher.send(direct());
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({
      ending: "refused",
      reason: "no channel for this",
      log: [{ errorCode: "plan_failed", status: null }],
    });
  });

  it("counts a planned request that is none as dead at once", async () => {
    const request = { method: "POST", url: "not a url", headers: {}, body: "" } as const;
    const { dispatcher } = await open({ id: "work", plan: async () => ({ kind: "request", request }) });
    await dispatcher.send(direct());
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({
      ending: "refused",
      log: [{ errorCode: "plan_failed" }],
    });
  });

  it("N3 blacks out in a destination's own reason what of the request the answer repeats", async () => {
    const receiver = await openReceiver({
      answer: ({ path, headers }) => ({ status: 400, body: `no ${headers.authorization} at ${path}` }),
    });
    const url = `${receiver.url}/token-hush?key=value-hush`;
    const headers = { authorization: "Bearer header-hush" };
    const { dispatcher } = await open({
      id: "work",
      plan: () => ({ kind: "request", request: { method: "POST", url, headers, body: "" } }),
      interpret: ({ body }) => ({ outcome: "dead", reason: `It said: ${body}` }),
    });
    await dispatcher.send(direct());
    const reason = "It said: no [redacted] at [redacted]";
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({
      reason,
      log: [{ reason, status: 400 }],
    });
  });

  it("ends a direct send that is answered 410 at once, since nobody could enable its target again", async () => {
    const receiver = await openReceiver({ answer: () => ({ status: 410 }) });
    const request = { method: "POST", url: receiver.url, headers: {}, body: "" } as const;
    const { dispatcher } = await open({ id: "work", plan: () => ({ kind: "request", request }) });
    await dispatcher.send(direct());
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({
      ending: "refused",
      log: [{ errorCode: "http_status", status: 410 }],
    });
  });

  it("counts a plan of null as delivered", async () => {
    const { dispatcher } = await open({ id: "work", plan: () => null });
    await dispatcher.send(direct());
    expect(await untilDelivery(dispatcher, ({ status }) => status === "delivered")).toMatchObject({
      ending: "skipped",
    });
  });

  it("tries a run again that throws or asks for it, and believes one that says dead", async () => {
    const outcomes: (() => Promise<{ outcome: "retry" | "dead"; reason?: string }>)[] = [
      async () => {
        throw new Error("oops");
      },
      async () => ({ outcome: "retry", reason: "later" }),
      async () => ({ outcome: "dead", reason: "never" }),
    ];
    const { dispatcher } = await open({
      id: "work",
      plan: (_event, { attempt }) => ({ kind: "run", run: outcomes[attempt - 1] ?? (() => Promise.reject()) }),
    });
    await dispatcher.send(direct());
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead.log.map(({ errorCode, reason }) => [errorCode, reason])).toEqual([
      ["run_failed", "oops"],
      ["refused", "later"],
      ["refused", "never"],
    ]);
  });

  it("ends a run at the attempt's time limit, also one that does not listen to its signal", async () => {
    let signal: AbortSignal | undefined;
    const { dispatcher } = await open(
      {
        id: "work",
        plan: (_event, context) => ({
          kind: "run",
          run: () => {
            signal = context.signal;
            return new Promise(() => {});
          },
        }),
      },
      { retrySchedule: { delaysMs: [] }, timeoutMs: 50 },
    );
    await dispatcher.send(direct());
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead).toMatchObject({ ending: "exhausted", log: [{ errorCode: "timeout" }] });
    expect(signal?.aborted).toBe(true);
  });

  it("lets the status decide when a destination cannot read the answer", async () => {
    const receiver = await openReceiver({ answer: () => ({ body: "<html>" }) });
    const { dispatcher } = await open(messages as Destination);
    await dispatcher.subscribe({
      key: "k",
      tenantId: TENANT,
      destination: "messages",
      events: ["*"],
      target: { url: receiver.url },
    });
    await dispatcher.publish(EVENT);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered.log).toMatchObject([{ errorCode: "interpret_failed", status: 200 }]);
    expect(receiver.requests).toHaveLength(1);
  });

  it("E4 makes no attempt after the deadline, and calls the destination's expire at that time", async () => {
    const clock = createVirtualClock();
    const calls: string[] = [];
    const { dispatcher } = await open(
      {
        id: "work",
        plan: () => ({
          kind: "run",
          run: async () => {
            calls.push("run");
            return { outcome: "retry" };
          },
        }),
        expire: async (event, { endpoint }) => {
          calls.push(`expire ${JSON.stringify(event.data)} ${endpoint.target}`);
        },
      },
      { clock, retrySchedule: { delaysMs: [60_000, 3_600_000] } },
    );
    const deadline = new Date(clock.now() + 600_000);
    await dispatcher.send(direct({ deadline, target: "here" }));
    const first = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    clock.advanceTo(first.nextAttemptAt ?? 0);
    const second = await untilDelivery(dispatcher, ({ attempts }) => attempts === 2);
    expect(second.nextAttemptAt).toEqual(deadline);
    expect(second.deadline).toEqual(deadline);
    clock.advanceTo(deadline);
    const expired = await untilDelivery(dispatcher, ({ status }) => status === "expired");
    expect(calls).toEqual(["run", "run", 'expire {"n":1} here']);
    expect(expired).toMatchObject({ ending: "expired", log: [{}, {}, { outcome: "expired" }] });
    await expect(dispatcher.deliveries.retry(expired)).rejects.toMatchObject({ code: "deadline_passed" });
  });

  it("E4 calls expire after the last attempt when the schedule is used up before the deadline", async () => {
    const clock = createVirtualClock();
    const calls: string[] = [];
    const { dispatcher } = await open(
      {
        id: "work",
        plan: () => ({
          kind: "run",
          run: async () => {
            calls.push("run");
            return { outcome: "retry", reason: "busy" };
          },
        }),
        expire: async (event) => {
          calls.push(`expire ${JSON.stringify(event.data)}`);
        },
      },
      { clock, retrySchedule: { delaysMs: [60_000] } },
    );
    const deadline = new Date(clock.now() + 600_000);
    await dispatcher.send(direct({ deadline }));
    const first = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    clock.advanceTo(first.nextAttemptAt ?? 0);
    await until(() => calls.length === 2);
    await untilDelivery(dispatcher, ({ attempts }) => attempts >= 2);
    clock.advance(10);
    const expired = await untilDelivery(dispatcher, ({ status }) => status === "expired");
    expect(clock.now()).toBeLessThan(deadline.getTime());
    expect(calls).toEqual(["run", "run", 'expire {"n":1}']);
    expect(expired).toMatchObject({ log: [{ reason: "busy" }, { reason: "busy" }, { outcome: "expired" }] });

    // The deadline still lies ahead, so it can be tried again, with its whole schedule.
    await dispatcher.deliveries.retry(expired);
    await until(() => calls.length === 4);
    expect(calls[3]).toBe("run");
  });

  it("E4 makes three tries with growing waits, all of them within the fifteen minutes of its deadline", async () => {
    const clock = createVirtualClock();
    const startMs = clock.now();
    const triedMs: number[] = [];
    const { dispatcher } = await open(
      {
        id: "work",
        plan: (_event, { now }) => ({
          kind: "run",
          async run() {
            triedMs.push(now.getTime() - startMs);
            return { outcome: triedMs.length < 3 ? "retry" : "delivered" };
          },
        }),
      },
      { clock, retrySchedule: { delaysMs: [60_000, 120_000], jitterRatio: 0 } },
    );
    await dispatcher.send(direct({ deadline: new Date(startMs + 900_000) }));
    for (const tries of [1, 2]) {
      const { nextAttemptAt } = await untilDelivery(dispatcher, ({ attempts }) => attempts === tries);
      clock.advanceTo(nextAttemptAt ?? 0);
    }
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered.log.map(({ outcome }) => outcome)).toEqual(["retry", "retry", "delivered"]);
    expect(triedMs).toEqual([0, 60_000, 180_000]);
  });

  it("leaves a delivery for a destination that this process does not know to another one", async () => {
    const { dispatcher, another, logged } = await openDispatcher(databases, { pollMs: 20 });
    const knowing = another({ destinations: [{ id: "work", plan: () => null }] });
    await knowing.send(direct());
    await dispatcher.start();
    await until(() => logged.some(({ message }) => message === "no such destination here"));
    expect((await untilDelivery(dispatcher, ({ status }) => status === "pending")).attempts).toBe(0);
    await dispatcher.stop();
    await knowing.start();
    dispatcher.use({ id: "work", plan: () => null });
    expect(() => dispatcher.use({ id: "work", plan: () => null })).toThrow(/already/);
  });
});
