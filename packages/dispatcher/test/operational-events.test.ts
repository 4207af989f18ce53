import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatcher, OPERATIONAL_EVENTS } from "../src/index.js";
import { createVirtualClock } from "../src/testing.js";
import { QUICK } from "./message-destination.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const EVENT = { tenantId: TENANT, type: "ticket.created", data: { number: 1 } };
const ONCE = { delaysMs: [] };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  const open = async (options: object = {}) => {
    const opened = await openDispatcher(databases, { ...QUICK, ...options });
    const { dispatcher } = opened;
    const subscribe = async (events: readonly string[], status = 200) => {
      const receiver = await openReceiver({ answer: () => ({ status }) });
      const endpoint = await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events });
      return { receiver, endpoint };
    };
    const deliveries = async () => (await dispatcher.deliveries.list({ tenantId: TENANT, limit: 200 })).deliveries;
    const events = (type: string) =>
      opened.database.query<{ id: string }>(`select id from ${opened.schema}.events where type = $1`, [type]);
    return { ...opened, subscribe, deliveries, events };
  };

  it("N4 tells of a disabled endpoint whoever names the type or endpoint.*, and not who asks for everything", async () => {
    const { dispatcher, subscribe, deliveries } = await open();
    const gone = await subscribe(["ticket.*"], 410);
    const exact = await subscribe(["endpoint.disabled"]);
    const family = await subscribe(["endpoint.*"]);
    const everything = await subscribe(["*"]);
    const other = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: "other", target: { url: other.url }, events: ["endpoint.*"] });
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    for (const { receiver } of [exact, family, everything]) await receiver.waitFor(1);
    await until(async () => (await deliveries()).every(({ status }) => status === "delivered" || status === "held"));
    const told = exact.receiver.requests.map((request) => request.json());
    expect(told).toEqual([
      {
        type: "endpoint.disabled",
        timestamp: expect.any(String),
        data: {
          endpointId: gone.endpoint.id,
          endpointName: null,
          cause: "gone",
          reason: "The endpoint answered 410: it is gone.",
          disabledAt: expect.any(String),
          failingSince: null,
          lastStatus: 410,
        },
      },
    ]);
    expect(family.receiver.requests.map((request) => request.json())).toEqual(told);
    expect(everything.receiver.requests.map((request) => request.json())).toMatchObject([{ type: "ticket.created" }]);
    expect(other.requests).toEqual([]);
  });

  it("N1 N4 commits an operational event together with what it tells of, or neither", async () => {
    const told: string[] = [];
    const { dispatcher, database, schema, subscribe, events, logged } = await open({
      hooks: { onEndpointDisabled: ({ endpointId }: { endpointId: string }) => void told.push(endpointId) },
    });
    const gone = await subscribe(["ticket.*"], 410);
    await database.query(
      `create function ${schema}.refuse() returns trigger language plpgsql as $$ begin
         if new.type = 'endpoint.disabled' then raise exception 'not now'; end if;
         return new;
       end $$`,
    );
    await database.query(
      `create trigger refuse before insert on ${schema}.events for each row execute function ${schema}.refuse()`,
    );
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await gone.receiver.waitFor(1);
    await until(() => logged.length > 0);
    expect(await dispatcher.endpoints.get(gone.endpoint)).toMatchObject({ active: true });
    expect(await database.query(`select * from ${schema}.attempts`)).toEqual([]);
    expect(told).toEqual([]);

    await database.query(`drop trigger refuse on ${schema}.events`);
    await until(async () => (await dispatcher.endpoints.get(gone.endpoint))?.active === false);
    expect(await events("endpoint.disabled")).toHaveLength(1);
    await until(() => told.length > 0);
    await dispatcher.stop();
    expect(told).toEqual([gone.endpoint.id]);
    expect(gone.receiver.requests).toHaveLength(1);
  });

  it("N4 tells of an exhausted delivery once, and of the exhausted telling not again", async () => {
    const { dispatcher, subscribe, deliveries, events } = await open({ retrySchedule: ONCE });
    const { receiver, endpoint } = await subscribe(["ticket.*", "delivery.exhausted"], 500);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await until(async () => {
      const found = await deliveries();
      return found.length === 2 && found.every(({ status }) => status === "dead");
    });
    await dispatcher.stop();
    expect(await events("delivery.exhausted")).toHaveLength(1);
    expect(receiver.requests.map((request) => request.json())).toMatchObject([
      { type: "ticket.created" },
      {
        type: "delivery.exhausted",
        data: {
          endpointId: endpoint.id,
          eventType: "ticket.created",
          attempts: 1,
          status: 500,
          errorCode: "http_status",
        },
      },
    ]);
  });

  it("N9 forgets with an event what was answered to it in the telling of its exhausted delivery, too", async () => {
    const { dispatcher, subscribe, deliveries, events } = await open({ retrySchedule: ONCE });
    await subscribe(["ticket.*"], 500);
    await dispatcher.start();
    const { id } = await dispatcher.publish(EVENT);
    await until(async () => (await deliveries()).every(({ status }) => status === "dead"));
    await dispatcher.stop();
    const [told] = await events("delivery.exhausted");
    const data = async () => (await dispatcher.events.get({ tenantId: TENANT, id: told?.id ?? "" }))?.data;
    const before = await data();
    expect(before).toMatchObject({ eventId: id, reason: expect.any(String) });
    await dispatcher.events.expunge({ tenantId: TENANT, id });
    expect(await data()).toEqual({ ...(before as object), reason: null });
  });

  it("N4 N5 tells that an endpoint recovers once its circuit breaker closes", async () => {
    const clock = createVirtualClock();
    const recovering: object[] = [];
    const { dispatcher, subscribe } = await open({
      clock,
      circuitBreaker: { failures: 2, openMs: 60_000 },
      retrySchedule: { delaysMs: [1_000, 1_000], jitterRatio: 0 },
      hooks: { onEndpointRecovering: (told: object) => void recovering.push(told) },
    });
    const startMs = clock.now();
    const { receiver, endpoint } = await subscribe(["ticket.*"], 500);
    const alerts = await subscribe(["endpoint.recovering"]);
    await dispatcher.start();
    await dispatcher.publishMany([EVENT, EVENT]);
    await until(async () => (await dispatcher.endpoints.get(endpoint))?.health.circuit === "open");
    receiver.answerWith({ status: 200 });
    await until(() => {
      clock.advance(1_000);
      return alerts.receiver.requests.length > 0;
    });
    const data = { endpointId: endpoint.id, failingSince: new Date(startMs).toISOString() };
    expect(alerts.receiver.requests[0]?.json()).toMatchObject({ type: "endpoint.recovering", data });
    await until(() => recovering.length > 0);
    expect(recovering).toMatchObject([{ ...data, tenantId: TENANT }]);
  });

  it.each(OPERATIONAL_EVENTS.map(({ type }) => type))("lets nobody else publish %s", async (type) => {
    const { dispatcher } = await open();
    await expect(dispatcher.publish({ ...EVENT, type })).rejects.toMatchObject({
      code: "invalid_event",
      issues: [{ path: "type" }],
    });
  });

  it("calls hooks after the commit, and logs one that throws without harm to anything", async () => {
    const seen: unknown[] = [];
    const { dispatcher, subscribe, deliveries, logged } = await open({
      retrySchedule: ONCE,
      hooks: {
        onAttempt: () => {
          throw new Error("thrown by a hook");
        },
        onDeliveryExhausted: async ({ deliveryId }: { deliveryId: string }) => {
          seen.push((await dispatcher.deliveries.get({ tenantId: TENANT, id: deliveryId }))?.status);
          throw new Error("rejected by a hook");
        },
      },
    });
    const failing = await subscribe(["ticket.*"], 500);
    const healthy = await subscribe(["ticket.*"]);
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await dispatcher.publish(EVENT);
    await failing.receiver.waitFor(2);
    await healthy.receiver.waitFor(2);
    await until(async () => (await deliveries()).every(({ endedAt }) => endedAt !== null));
    await until(() => seen.length === 2);
    await dispatcher.stop();
    expect(seen).toEqual(["dead", "dead"]);
    const hooks = logged.map(({ fields, message }) => ({ message, hook: (fields as { hook?: string }).hook }));
    const failed = (hook: string) => ({ message: "a hook failed", hook });
    expect(hooks.sort((one, other) => `${one.hook}`.localeCompare(`${other.hook}`))).toEqual([
      ...Array.from({ length: 4 }, () => failed("onAttempt")),
      ...Array.from({ length: 2 }, () => failed("onDeliveryExhausted")),
    ]);
  });

  it("W5 reports each attempt to onAttempt", async () => {
    const reports: object[] = [];
    const { dispatcher, subscribe } = await open({
      retrySchedule: { delaysMs: [1] },
      hooks: { onAttempt: (report: object) => void reports.push(report) },
    });
    const { receiver, endpoint } = await subscribe(["ticket.*"], 503);
    await dispatcher.start();
    const { id: eventId } = await dispatcher.publish(EVENT);
    await receiver.waitFor(2);
    await until(() => reports.length === 2);
    const known = { tenantId: TENANT, endpointId: endpoint.id, eventId, eventType: "ticket.created", status: 503 };
    expect(reports).toMatchObject([
      { ...known, attempt: 1, outcome: "retry", ending: null, nextAttemptAt: expect.any(Date) },
      { ...known, attempt: 2, outcome: "retry", ending: "exhausted", nextAttemptAt: null, errorCode: "http_status" },
    ]);
  });

  it("N4 W8 mails the contact address with the host of the endpoint and nothing that could be a credential", async () => {
    const mails: { to: string; subject: string; text: string }[] = [];
    let refusals = 1;
    const { dispatcher, deliveries } = await open({
      mailer: {
        send: async (mail: (typeof mails)[number]) => {
          refusals -= 1;
          if (refusals >= 0) throw new Error("The mail server is away.");
          mails.push(mail);
        },
      },
    });
    const receiver = await openReceiver({ answer: () => ({ status: 410, body: "body-hush" }) });
    const { host } = new URL(receiver.url);
    const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
    const make = (name: string, contactAddress?: string) =>
      dispatcher.endpoints.create({
        tenantId: TENANT,
        name,
        target: { url: `http://${host}/path-hush?key=query-hush`, headers: { authorization: "Bearer header-hush" } },
        events: ["ticket.*"],
        secret,
        ...(contactAddress && { contactAddress }),
      });
    await make("Billing", "ops@acme.example");
    await make("Nobody to tell");
    await dispatcher.start();
    await dispatcher.publish(EVENT);
    await until(() => mails.length > 0);
    await until(async () => (await deliveries()).every(({ status }) => status === "delivered" || status === "held"));
    await dispatcher.stop();
    expect(mails).toHaveLength(1);
    const [mail] = mails;
    expect(mail).toMatchObject({ to: "ops@acme.example", subject: expect.stringContaining("was disabled") });
    expect(mail?.text).toContain(`Host: ${host}\n`);
    const whole = JSON.stringify(mail);
    for (const hidden of ["hush", "path", "query", "Bearer", "http:", secret, secret.slice(6)]) {
      expect(whole).not.toContain(hidden);
    }
  });

  it.each([
    { options: { circuitBreaker: { failures: 0 } }, path: "circuitBreaker.failures" },
    { options: { circuitBreaker: { openMs: Number.NaN } }, path: "circuitBreaker.openMs" },
    { options: { circuitBreaker: { maxOpenMs: -1 } }, path: "circuitBreaker.maxOpenMs" },
    { options: { disableAfterMs: 1_000 }, path: "disableAfterMs" },
    { options: { maxHoldMs: 0 }, path: "maxHoldMs" },
    { options: { backlogThreshold: 0 }, path: "backlogThreshold" },
    { options: { backlogThreshold: 1.5 }, path: "backlogThreshold" },
  ])("refuses a wrong $path among the options", async ({ options, path }) => {
    const { database } = await databases.open();
    const make = () => createDispatcher({ database, encryptionKey: ENCRYPTION_KEY, ...options });
    expect(make).toThrow(
      expect.objectContaining({ code: "invalid_options", issues: [expect.objectContaining({ path })] }),
    );
  });

  it.each([
    { input: { contactAddress: "ops@acme.example\nBcc: all@acme.example" }, path: "contactAddress" },
    { input: { contactAddress: "nobody" }, path: "contactAddress" },
    { input: { policy: { disableAfterMs: 59_999 } }, path: "policy.disableAfterMs" },
    { input: { policy: { retryClientErrors: "no" as never } }, path: "policy.retryClientErrors" },
    { input: { policy: { circuitBreaker: 1 as never } }, path: "policy.circuitBreaker" },
  ])("refuses an endpoint with a wrong $path", async ({ input, path }) => {
    const { dispatcher } = await open();
    const known = { tenantId: TENANT, target: { url: "https://example.com" }, events: ["*"] };
    await expect(dispatcher.endpoints.create({ ...known, ...input })).rejects.toMatchObject({
      code: "invalid_endpoint",
      issues: [{ path }],
    });
  });
});
