import { randomBytes } from "node:crypto";
import type { Destination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webhookRoutes } from "../src/http/index.js";
import { createDispatcher, type Dispatcher, type DispatcherOptions } from "../src/index.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, TENANT, untilDelivery } from "./open-dispatcher.js";

const event = { tenantId: TENANT, type: "ticket.created", data: {} };

/** What a caller without a compiler gives, and at which path it is refused. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
type Wrong = (dispatcher: any) => Promise<unknown>;

const WRONG: Record<string, readonly [code: string, path: string, ask: Wrong]> = {
  "no event": ["invalid_event", "", (d) => d.publish()],
  "an event among others that is none": ["invalid_event", "", (d) => d.publishMany([event, null])],
  "a timestamp that is a text": ["invalid_event", "timestamp", (d) => d.publish({ ...event, timestamp: "2026-01-01" })],
  "a deadline that is a number": [
    "invalid_message",
    "deadline",
    (d) => d.send({ tenantId: TENANT, destination: "notes", target: {}, data: {}, deadline: Date.now() }),
  ],
  "an event with a field that is misspelt": [
    "invalid_event",
    "idempotencykey",
    (d) => d.publish({ ...event, idempotencykey: "1" }),
  ],
  "one event for a list": ["invalid_event", "", (d) => d.publishMany(event)],
  "no list of events": ["invalid_event", "", (d) => d.publishEach()],
  "ids beside a filter": [
    "invalid_query",
    "filter",
    (d) => d.deliveries.retryMany({ tenantId: TENANT, ids: ["dlv_1"], filter: {} }),
  ],
  "an event among others with a field that is misspelt": [
    "invalid_event",
    "orderingkey",
    (d) => d.publishMany([event, { ...event, orderingkey: "1" }]),
  ],
  "no message": ["invalid_message", "", (d) => d.send()],
  "a message with a field that is misspelt": [
    "invalid_message",
    "deadlineAt",
    (d) => d.send({ tenantId: TENANT, destination: "notes", target: {}, data: {}, deadlineAt: new Date() }),
  ],
  "a subscription with a field that is none": [
    "invalid_endpoint",
    "condition",
    (d) => d.subscribe({ tenantId: TENANT, key: "notes", destination: "notes", events: ["*"], condition: {} }),
  ],
  "what is none of a publication's options": [
    "invalid_transaction",
    "idempotencyKey",
    (d) => d.publish(event, { idempotencyKey: "1" }),
  ],
  "no endpoint": ["invalid_endpoint", "", (d) => d.endpoints.create()],
  "an endpoint with its target's fields at the top": [
    "invalid_endpoint",
    "url",
    (d) => d.endpoints.create({ tenantId: TENANT, url: "https://example.com", events: ["*"] }),
  ],
  "an endpoint whose switch is a text": [
    "invalid_endpoint",
    "active",
    (d) =>
      d.endpoints.create({ tenantId: TENANT, target: { url: "https://example.com" }, events: ["*"], active: "false" }),
  ],
  "changes that are not apart from the endpoint": [
    "invalid_endpoint",
    "",
    (d) => d.endpoints.update({ tenantId: TENANT, id: "ep_1", name: "new" }),
  ],
  "changes of what cannot be changed": [
    "invalid_endpoint",
    "secret",
    (d) => d.endpoints.update({ tenantId: TENANT, id: "ep_1" }, { secret: "whsec_x" }),
  ],
  "a status that there is none of": [
    "invalid_query",
    "status",
    (d) => d.deliveries.list({ tenantId: TENANT, status: "failed" }),
  ],
  "an endpoint's id that is empty": [
    "invalid_query",
    "endpointId",
    (d) => d.deliveries.list({ tenantId: TENANT, endpointId: "" }),
  ],
  "a filter that is misspelt": [
    "invalid_query",
    "endpoint",
    (d) => d.deliveries.list({ tenantId: TENANT, endpoint: "ep_1" }),
  ],
  "a filter that is misspelt, and retries nothing": [
    "invalid_query",
    "filter.endpointID",
    (d) => d.deliveries.retryMany({ tenantId: TENANT, filter: { endpointID: "ep_1" } }),
  ],
  "a recovery until a time that is misspelt": [
    "invalid_query",
    "to",
    (d) => d.recover({ tenantId: TENANT, endpointId: "ep_1", since: new Date(0), to: new Date() }),
  ],
  "an HTTP status of 0": ["invalid_query", "httpStatus", (d) => d.deliveries.list({ tenantId: TENANT, httpStatus: 0 })],
};

describeMatrix({ describe, beforeAll, afterAll }, ["pglite"], (databases) => {
  it.each(Object.entries(WRONG))("refuses %s, with a code and a path", async (_, [code, path, ask]) => {
    const { dispatcher } = await openDispatcher(databases);
    await expect(ask(dispatcher)).rejects.toMatchObject({
      name: "DispatcherError",
      code,
      issues: [expect.objectContaining({ path })],
    });
  });

  it.each<[call: string, ask: Wrong]>([
    ["endpoints.list", (d) => d.endpoints.list()],
    ["endpoints.get", (d) => d.endpoints.get()],
    ["endpoints.update", (d) => d.endpoints.update()],
    ["endpoints.delete", (d) => d.endpoints.delete()],
    ["endpoints.enable", (d) => d.endpoints.enable()],
    ["endpoints.disable", (d) => d.endpoints.disable()],
    ["endpoints.rotateSecret", (d) => d.endpoints.rotateSecret()],
    ["endpoints.test", (d) => d.endpoints.test()],
    ["endpoints.verify", (d) => d.endpoints.verify()],
    ["deliveries.list", (d) => d.deliveries.list()],
    ["deliveries.log", (d) => d.deliveries.log()],
    ["deliveries.get", (d) => d.deliveries.get()],
    ["deliveries.retry", (d) => d.deliveries.retry()],
    ["deliveries.retryMany", (d) => d.deliveries.retryMany()],
    ["recover", (d) => d.recover()],
    ["recoveries.list", (d) => d.recoveries.list()],
    ["recoveries.get", (d) => d.recoveries.get()],
    ["recoveries.cancel", (d) => d.recoveries.cancel()],
    ["events.list", (d) => d.events.list()],
    ["events.get", (d) => d.events.get()],
    ["events.expunge", (d) => d.events.expunge()],
    ["events.listAttempts", (d) => d.events.listAttempts()],
    ["events.listSends", (d) => d.events.listSends()],
    ["events.expungeSends", (d) => d.events.expungeSends()],
  ])("refuses %s without an argument, with a code", async (_, ask) => {
    const { dispatcher } = await openDispatcher(databases);
    await expect(ask(dispatcher)).rejects.toMatchObject({
      code: "invalid_query",
      message: "What is asked for is an object with a tenantId.",
    });
  });

  it("refuses what does not say whose it asks for, or which one", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const refused = (path: string) => ({ code: "invalid_query", issues: [expect.objectContaining({ path })] });
    // biome-ignore lint/suspicious/noExplicitAny: that is the point
    const { endpoints, deliveries, events, recoveries } = dispatcher as any;
    for (const list of [endpoints.list, deliveries.list, deliveries.log, events.list, recoveries.list]) {
      await expect(list({})).rejects.toMatchObject(refused("tenantId"));
    }
    for (const { get } of [endpoints, deliveries, events, recoveries]) {
      await expect(get({ id: "1" })).rejects.toMatchObject(refused("tenantId"));
      await expect(get({ tenantId: TENANT })).rejects.toMatchObject(refused("id"));
    }
    await expect(events.listAttempts({ tenantId: TENANT })).rejects.toMatchObject(refused("eventIds"));
    await expect(events.listSends({ tenantId: TENANT })).rejects.toMatchObject(refused("subjectIds"));
    await expect(events.expungeSends({ tenantId: TENANT })).rejects.toMatchObject(refused("subjectIds"));
  });

  it("refuses the event whose field is misspelt, and takes its neighbours", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const events = [event, { ...event, subjectID: "1" }, event];
    expect(await dispatcher.publishEach(events)).toMatchObject([
      { status: "published" },
      { status: "refused", code: "invalid_event", message: "The event's subjectID is not known." },
      { status: "published" },
    ]);
  });

  it("retries nothing where neither ids nor a filter are given, and not everything", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    await dispatcher.endpoints.create({ tenantId: TENANT, target: { url: receiver.url }, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publish(event);
    await untilDelivery(dispatcher, ({ status }) => status === "delivered");
    const retryMany = dispatcher.deliveries.retryMany as (asked: object) => Promise<unknown>;
    for (const asked of [{}, { ids: undefined }, { filter: undefined }, { filter: null }, { ids: "dlv_1" }]) {
      await expect(retryMany({ tenantId: TENANT, ...asked })).rejects.toMatchObject({ code: "invalid_query" });
    }
    await untilDelivery(dispatcher, ({ status, attempts }) => status === "delivered" && attempts === 1);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["a plan of no kind", { run: async () => ({ outcome: "delivered" }) }],
    ["a request of none", { kind: "request" }],
    ["a text", "request"],
  ])("ends a delivery whose destination plans %s as dead, and says so", async (_, planned) => {
    const destination = { id: "notes", plan: () => planned } as Destination;
    const { dispatcher } = await openDispatcher(databases, { destinations: [destination] });
    await dispatcher.endpoints.create({ tenantId: TENANT, destination: "notes", target: {}, events: ["*"] });
    await dispatcher.start();
    await dispatcher.publish(event);
    const delivery = await untilDelivery(dispatcher, ({ status }) => status === "dead");
    expect(delivery?.log).toMatchObject([{ errorCode: "plan_failed", reason: "The plan is of no known kind." }]);
  });

  it.each([undefined, {}, { id: "" }, { id: "notes" }, { id: "notes", plan: null }])(
    "refuses a destination that is none: %j",
    async (destination) => {
      const { dispatcher, another } = await openDispatcher(databases);
      const refused = expect.objectContaining({ code: "invalid_options" });
      expect(() => dispatcher.use(destination as Destination)).toThrow(refused);
      expect(() => another({ destinations: [destination as Destination] })).toThrow(refused);
    },
  );

  it("answers nobody whom authenticate does not name, and tells the app of a caller without a tenant", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const statusFor = async (caller: unknown) => {
      const app = new Hono();
      app.route("/", webhookRoutes(dispatcher, { authenticate: () => caller as null }));
      app.onError((error, c) => c.text(error.message, 500));
      return (await app.request("/v1/endpoints")).status;
    };
    expect(await statusFor(null)).toBe(401);
    expect(await statusFor(undefined)).toBe(401);
    expect(await statusFor({ tenant: "acme" })).toBe(500);
    expect(await statusFor({ tenantId: "" })).toBe(500);
    expect(await statusFor({ tenantId: "acme" })).toBe(200);
  });

  it("refuses to be made without a database, or without a key, as an environment may leave them out", async () => {
    const { database } = await openDispatcher(databases);
    const make = (options: object) => () => createDispatcher(options as DispatcherOptions);
    const refused = (path: string) =>
      expect.objectContaining({ code: "invalid_options", issues: [{ path, message: expect.any(String) }] });
    expect(make({ encryptionKey: ENCRYPTION_KEY })).toThrow(refused("database"));
    expect(make({ database: "postgres://localhost", encryptionKey: ENCRYPTION_KEY })).toThrow(refused("database"));
    expect(make({ database })).toThrow(refused("encryptionKey"));
    expect(() => webhookRoutes({} as Dispatcher, {} as never)).toThrow(refused("authenticate"));
  });

  it.each<[path: string, options: object]>([
    ["retrySchedul", { retrySchedul: { delaysMs: [] } }],
    ["addressGuard.allowHTTP", { addressGuard: { allowHTTP: true } }],
    ["proxy.header", { proxy: { url: "http://proxy.example", header: {} } }],
    ["retrySchedule.jitter", { retrySchedule: { delaysMs: [], jitter: 0 } }],
    ["tenantLimits.rateLimits", { tenantLimits: { rateLimits: { count: 1, perMs: 1 } } }],
    ["tenantLimits.rateLimit.burst", { tenantLimits: { rateLimit: { count: 1, perMs: 1, burst: 1 } } }],
    ["telemetry.tracer", { telemetry: { tracer: null } }],
    ["retention.payloadsMs", { retention: { payloadsMs: 1 } }],
    ["circuitBreaker.failure", { circuitBreaker: { failure: 1 } }],
    ["hooks.onAtempt", { hooks: { onAtempt() {} } }],
  ])("refuses to be made with the option %s, which there is none of", async (path, options) => {
    const { another } = await openDispatcher(databases);
    expect(() => another(options as Partial<DispatcherOptions>)).toThrow(
      expect.objectContaining({ code: "invalid_options", issues: [{ path, message: "is not known" }] }),
    );
  });

  it.each<[path: string, options: object]>([
    ["verifyEndpoints", { verifyEndpoints: "true" }],
    ["addressGuard.allowHttp", { addressGuard: { allowHttp: "false" } }],
    ["addressGuard.allow", { addressGuard: { allow: "127.0.0.0/8" } }],
    ["addressGuard", { addressGuard: null }],
    ["telemetry.propagatesToReceivers", { telemetry: { propagatesToReceivers: 1 } }],
    ["hooks", { hooks: null }],
    ["retrySchedule", { retrySchedule: null }],
    ["events", { events: {} }],
    ["destinations", { destinations: null }],
  ])("refuses to be made with %s of another kind, as an environment or a file may have it", async (path, options) => {
    const { another } = await openDispatcher(databases);
    expect(() => another(options as Partial<DispatcherOptions>)).toThrow(
      expect.objectContaining({ code: "invalid_options", issues: [{ path, message: expect.any(String) }] }),
    );
  });

  it.each<[what: string, encryptionKey: unknown]>([
    ["in hex", randomBytes(32).toString("hex")],
    ["of 16 bytes", randomBytes(16).toString("base64")],
    ["that is a password", "correct horse battery staple"],
    ["that is empty", ""],
    ["that is a Buffer", randomBytes(32)],
    ["that is a list of none", []],
    ["whose second is none", [ENCRYPTION_KEY, "old"]],
    ["whose second is not set", [ENCRYPTION_KEY, undefined]],
  ])("refuses an encryption key %s, and says how to make one", async (_, encryptionKey) => {
    const { another } = await openDispatcher(databases);
    expect(() => another({ encryptionKey: encryptionKey as string })).toThrow(
      expect.objectContaining({
        name: "DispatcherError",
        code: "invalid_options",
        message: expect.stringMatching(/^createDispatcher: encryptionKey is 32 .*openssl rand -base64 32/),
        issues: [{ path: "encryptionKey", message: expect.any(String) }],
      }),
    );
  });

  it("refuses to be made without options", () => {
    expect(() => createDispatcher(undefined as unknown as DispatcherOptions)).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
  });
});
