import { describeMatrix } from "@hookline/postgres/testing";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RETRY_SCHEDULE } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import { openDispatcher, openReceiver, subscribeReceiver, TENANT, until, untilDelivery } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const QUICK = { retrySchedule: { delaysMs: [10, 10, 10], jitterRatio: 0 } };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W4 N4 sends what a receiver with another implementation of Standard Webhooks verifies", async () => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const receiver = await openReceiver();
    const endpoint = await subscribeReceiver(dispatcher, receiver);
    const { id } = await dispatcher.publish(EVENT);
    const [request] = await receiver.waitFor(1);
    expect(new Webhook(endpoint.secret ?? "").verify(request?.body ?? "", request?.headers ?? {})).toMatchObject({
      type: "ticket.created",
      data: { number: 1 },
    });
    expect(request?.method).toBe("POST");
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": expect.stringMatching(/^Hookline\/\d/),
      "webhook-id": id,
    });
  });

  it("W5 A7 tries again by the schedule, with the same id and a fresh timestamp, and logs each attempt", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { clock });
    await dispatcher.start();
    const receiver = await openReceiver({ toleranceSeconds: Number.POSITIVE_INFINITY });
    await subscribeReceiver(dispatcher, receiver);
    receiver.answerWith({ status: 503, body: "down" });
    await dispatcher.publish(EVENT);
    const failed = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    expect(failed).toMatchObject({
      status: "pending",
      log: [{ outcome: "retry", status: 503, errorCode: "http_status" }],
    });
    receiver.answerWith({ status: 204 });
    clock.advanceTo(failed.nextAttemptAt ?? 0);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered).toMatchObject({
      ending: "delivered",
      attempts: 2,
      nextAttemptAt: null,
      log: [
        { attempt: 1, outcome: "retry", status: 503, responseBody: "down", nextAttemptAt: failed.nextAttemptAt },
        { attempt: 2, outcome: "delivered", status: 204, errorCode: null, nextAttemptAt: null },
      ],
    });
    const [first, second] = receiver.requests;
    expect(receiver.requests.map(({ verified }) => verified)).toEqual([true, true]);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(Number(second?.headers["webhook-timestamp"])).toBeGreaterThan(Number(first?.headers["webhook-timestamp"]));
    expect(second?.body).toBe(first?.body);
  });

  it("W5 tries again what found no address, or nobody there", async () => {
    const receiver = await openReceiver();
    const failures = ["ENOTFOUND", "EAI_AGAIN", "ESERVFAIL"];
    const found = [[], [{ address: "127.0.0.2", family: 4 as const }]];
    const { dispatcher } = await openDispatcher(databases, {
      retrySchedule: { delaysMs: [1, 1, 1, 1, 1], jitterRatio: 0 },
      addressGuard: {
        allow: ["127.0.0.0/8"],
        allowHttp: true,
        async resolve() {
          const code = failures.shift();
          if (code !== undefined) throw Object.assign(new Error("no address"), { code });
          return found.shift() ?? [{ address: "127.0.0.1", family: 4 }];
        },
      },
    });
    await dispatcher.start();
    const url = receiver.url.replace("127.0.0.1", "hooks.example");
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url }, events: ["*"] });
    await dispatcher.publish(EVENT);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    const none = { outcome: "retry", status: null };
    expect(delivered.log).toMatchObject([
      ...Array.from({ length: 4 }, () => ({ ...none, errorCode: "dns_failed" })),
      { ...none, errorCode: "connection_refused" },
      { outcome: "delivered" },
    ]);
  });

  it("N7 runs through the whole schedule of 75 hours by a virtual clock", async () => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { clock });
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    await subscribeReceiver(dispatcher, receiver);
    const startedAtMs = clock.now();
    await dispatcher.publish(EVENT);
    for (let attempts = 1; attempts < 10; attempts += 1) {
      const waiting = await untilDelivery(dispatcher, (delivery) => delivery.attempts === attempts);
      // Nothing happens before its time.
      clock.advanceTo((waiting.nextAttemptAt?.getTime() ?? 0) - 1);
      clock.advance(1);
    }
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead).toMatchObject({ ending: "exhausted", attempts: 10, nextAttemptAt: null });
    expect(receiver.requests).toHaveLength(10);
    const startsMs = dead.log.map(({ startedAt }) => startedAt.getTime());
    const delaysMs = startsMs.slice(1).map((start, index) => start - (startsMs[index] ?? 0));
    for (const [index, delayMs] of RETRY_SCHEDULE.delaysMs.entries()) {
      expect(Math.abs((delaysMs[index] ?? 0) / delayMs - 1)).toBeLessThanOrEqual(0.1001);
    }
    expect((startsMs.at(-1) ?? 0) - startedAtMs).toBeGreaterThan(65 * 3_600_000);
  });

  it("puts a dead delivery back in the queue, where it is really attempted again", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [1] } });
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish(EVENT);
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead.attempts).toBe(2);
    receiver.answerWith({ status: 200 });
    // Else the first could be delivered before the second is asked for, and be sent once more.
    await dispatcher.stop();
    const answers = await Promise.allSettled([dispatcher.deliveries.retry(dead), dispatcher.deliveries.retry(dead)]);
    await dispatcher.start();
    expect(answers.some(({ status }) => status === "fulfilled")).toBe(true);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(delivered.log.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, "retry"],
      [2, "retry"],
      [3, "delivered"],
    ]);
    expect(receiver.requests).toHaveLength(3);
    await expect(dispatcher.deliveries.retry({ tenantId: "globex", id: dead.id })).rejects.toMatchObject({
      code: "delivery_not_found",
    });
  });

  it.each([
    ["seconds", () => "120", 120_000],
    ["a date", (nowMs: number) => new Date(nowMs + 300_000).toUTCString(), 300_000],
    ["more than the cap", () => "999999999", 86_400_000],
    ["a date beyond the cap", (nowMs: number) => new Date(nowMs + 900_000_000).toUTCString(), 86_400_000],
    ["less than the schedule", () => "0", 10],
    ["rubbish", () => "soon", 10],
  ])("N4 obeys a Retry-After in %s", async (_form, header, expectedMs) => {
    const clock = createVirtualClock();
    const { dispatcher } = await openDispatcher(databases, { ...QUICK, clock });
    await dispatcher.start();
    const receiver = await openReceiver({
      answer: () => ({ status: 429, headers: { "retry-after": header(clock.now()) } }),
    });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish(EVENT);
    const waiting = await untilDelivery(dispatcher, ({ attempts }) => attempts === 1);
    expect((waiting.nextAttemptAt?.getTime() ?? 0) - clock.now()).toBe(expectedMs);
  });

  it("N4 disables the endpoint on 410, holds what was answered so and what comes then, and delivers all of it when it is active again", async () => {
    const { dispatcher } = await openDispatcher(databases, QUICK);
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 410 }) });
    const endpoint = await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish(EVENT);
    const gone = await untilDelivery(dispatcher, ({ status }) => status === "held");
    expect(gone).toMatchObject({ ending: null, attempts: 1, log: [{ outcome: "retry", status: 410 }] });
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({
      active: false,
      disabledAt: expect.any(Date),
      disabledReason: expect.stringContaining("410"),
    });
    await dispatcher.publishMany([2, 3, 4].map((number) => ({ ...EVENT, data: { number } })));
    const held = await dispatcher.deliveries.list({ tenantId: TENANT, status: "held" });
    expect(held.deliveries).toHaveLength(4);
    await expect(dispatcher.deliveries.retry(gone)).rejects.toMatchObject({ code: "endpoint_disabled" });
    expect(receiver.requests).toHaveLength(1);

    receiver.answerWith({ status: 200 });
    await dispatcher.endpoints.update(endpoint, { active: true });
    await receiver.waitFor(5);
    const delivered = await until(async () => {
      const page = await dispatcher.deliveries.list({ tenantId: TENANT, status: "delivered" });
      return page.deliveries.length === 4 && page.deliveries;
    });
    expect(delivered.map(({ id }) => id)).toEqual(held.deliveries.map(({ id }) => id));
  });

  it("holds what is in line already when its endpoint is disabled meanwhile", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    const endpoint = await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish(EVENT);
    await dispatcher.endpoints.update(endpoint, { active: false });
    await dispatcher.start();
    await untilDelivery(dispatcher, ({ status }) => status === "held");
    await dispatcher.endpoints.update(endpoint, { active: true });
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(receiver.requests).toHaveLength(1);
  });

  it("ends what waits for a deleted endpoint as dead", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const endpoint = await subscribeReceiver(dispatcher, await openReceiver());
    await dispatcher.publish(EVENT);
    expect(await dispatcher.endpoints.delete(endpoint)).toBe(true);
    await dispatcher.start();
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead).toMatchObject({ ending: "endpoint_deleted", log: [{ errorCode: "endpoint_deleted", status: null }] });
    await expect(dispatcher.deliveries.retry(dead)).rejects.toMatchObject({ code: "endpoint_not_found" });
  });

  it("N3 counts a redirect as a failure and does not follow it", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [] } });
    await dispatcher.start();
    const elsewhere = await openReceiver();
    const receiver = await openReceiver({ answer: () => ({ status: 302, headers: { location: elsewhere.url } }) });
    await subscribeReceiver(dispatcher, receiver);
    await dispatcher.publish(EVENT);
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead.log).toMatchObject([{ errorCode: "redirect", status: 302 }]);
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("N3 refuses this machine's own addresses and plain http unless they are allowed", async () => {
    const receiver = await openReceiver();
    const { dispatcher } = await openDispatcher(databases, {
      retrySchedule: { delaysMs: [] },
      addressGuard: { allowHttp: true },
    });
    await dispatcher.start();
    const local = { ...receiver, url: receiver.url.replace("127.0.0.1", "localhost") };
    await subscribeReceiver(dispatcher, local);
    await dispatcher.publish(EVENT);
    const dead = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(dead.log).toMatchObject([{ errorCode: "address_refused", status: null }]);
    expect(receiver.requests).toHaveLength(0);
  });

  it("keeps to an endpoint's own number of attempts", async () => {
    const { dispatcher } = await openDispatcher(databases, QUICK);
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 400 }) });
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { maxAttempts: 2 },
    });
    await dispatcher.publish(EVENT);
    expect(await untilDelivery(dispatcher, ({ status }) => status === "dead")).toMatchObject({ attempts: 2 });
  });

  it("shows no secret in the attempt log, also when the receiver sends it back", async () => {
    const { dispatcher } = await openDispatcher(databases, QUICK);
    await dispatcher.start();
    const receiver = await openReceiver();
    const endpoint = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: {
        url: new URL("/hooks/T0/B0?version=1&token=an%20url-token", receiver.url).href,
        headers: { Authorization: "Bearer top-secret-token" },
      },
      events: ["*"],
    });
    receiver.answerWith(({ headers }) => ({
      body: `${headers.authorization} ${headers["webhook-signature"]} ${endpoint.secret}\u0000\u001e
        Cannot POST /hooks/T0/B0, "\\/hooks\\/T0\\/B0?version=1&token=an%20url-token" of an url-token in version 1
        ${"x".repeat(9_000)}`,
    }));
    await dispatcher.publish(EVENT);
    const delivered = await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    expect(receiver.requests[0]?.headers.authorization).toBe("Bearer top-secret-token");
    expect(delivered.log[0]?.requestHeaders).toMatchObject({
      authorization: "[redacted]",
      "webhook-signature": "[redacted]",
      "content-type": "application/json",
    });
    expect(delivered.log[0]?.responseBody).toMatch(
      /^\[redacted\] \[redacted\] \[redacted\]\ufffd\ufffd\s+Cannot POST \[redacted\], "\[redacted\]" of \[redacted\] in version 1\s+xxx/,
    );
    expect(delivered.log[0]?.responseBody).toHaveLength(4096);
  });

  it.each([
    ["xtsystems", "xtsystems", "XTSystems-Webhook/1.0"],
    ["support", "ai-support", "AI-Support-Autoresponder/1.0"],
  ] as const)("W4 sends the payload of profile %s", async (profile, scheme, userAgent) => {
    const { dispatcher } = await openDispatcher(databases);
    await dispatcher.start();
    const signing = await import("@hookline/webhook-signing");
    const receiver = await openReceiver({
      scheme: profile === "xtsystems" ? signing.xtsystems : signing.aiSupport,
    });
    const { secret } = await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url, profile, scheme },
      events: ["*"],
    });
    receiver.useSecret(secret ?? "");
    await dispatcher.publish({ ...EVENT, timestamp: new Date("2026-01-02T03:04:05.006Z") });
    const [request] = await receiver.waitFor(1);
    expect(request).toMatchObject({ verified: true, headers: { "user-agent": userAgent } });
    expect(request?.body).toBe(
      profile === "xtsystems"
        ? '{"event_type":"ticket.created","data":{"number":1},"company_id":"acme","timestamp":1767323045}'
        : '{"event":"ticket.created","timestamp":"2026-01-02T03:04:05.006Z","data":{"ticket":{"number":1}}}',
    );
  });
});
