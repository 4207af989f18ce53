import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatcher, type DispatcherOptions, type EndpointPolicy } from "../src/index.js";
import { messages } from "./message-destination.js";
import { ENCRYPTION_KEY, openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const OTHER_KEY = Buffer.alloc(32, 8).toString("base64");
const WEBHOOK = { tenantId: TENANT, target: { url: "https://example.com/" }, events: ["*"] };

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 keeps every field when several callers change one each of a target at once", async () => {
    const { dispatcher, call } = await openHttp(databases);
    const { id } = await dispatcher.endpoints.create(WEBHOOK);
    const changes = [{ headers: { "x-team": "a" } }, { template: '{"a":1}' }, { profile: "xtsystems" }];
    const answers = await Promise.all(changes.map((body) => call("PATCH", `/v1/endpoints/${id}`, { body })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await dispatcher.endpoints.get({ tenantId: TENANT, id }))?.target).toEqual({
      ...WEBHOOK.target,
      ...Object.assign({}, ...changes),
    });
    await call("PATCH", `/v1/endpoints/${id}`, { body: { template: null } });
    expect((await dispatcher.endpoints.get({ tenantId: TENANT, id }))?.target).not.toHaveProperty("template");
  });

  it("W1 keeps every field when several callers change a webhook of XTSystems at once", async () => {
    const { dispatcher, call } = await openHttp(databases);
    const { id } = await dispatcher.endpoints.create(WEBHOOK);
    const changes = [
      { headers: { "x-team": "a" } },
      { url: "https://example.com/b" },
      { retry_count: 3 },
      { timeout_seconds: 7 },
    ];
    await Promise.all(changes.map((body) => call("PUT", `/v1/webhooks/${id}`, { body })));
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id })).toMatchObject({
      target: { url: "https://example.com/b", headers: { "x-team": "a" } },
      policy: { maxAttempts: 3, timeoutMs: 7_000 },
    });
  });

  it("refuses changes of a target or policy in whole and in part at once, and parts of a target that is no webhook's", async () => {
    const { dispatcher } = await openDispatcher(databases, { destinations: [messages] });
    const webhook = await dispatcher.endpoints.create(WEBHOOK);
    const other = await dispatcher.endpoints.create({ ...WEBHOOK, destination: messages.id, target: { url: "a" } });
    const refusal = (path: string) => ({ code: "invalid_endpoint", issues: [{ path }] });
    const { update } = dispatcher.endpoints;
    await expect(
      update(webhook, { target: WEBHOOK.target, targetChanges: { profile: "xtsystems" } }),
    ).rejects.toMatchObject(refusal("targetChanges"));
    await expect(update(webhook, { policy: {}, policyChanges: {} })).rejects.toMatchObject(refusal("policyChanges"));
    await expect(update(other, { targetChanges: { url: "b" } })).rejects.toMatchObject(refusal("targetChanges"));
    await expect(update(webhook, { targetChanges: { url: "nowhere" } })).rejects.toMatchObject({
      code: "invalid_endpoint",
    });
  });

  it("W1 neither changes, tries nor deletes an endpoint of a subscription over HTTP, and keeps other destinations from webhook fields", async () => {
    const { dispatcher, call } = await openHttp(databases, { destinations: [messages] });
    const subscription = { tenantId: TENANT, key: "k", destination: messages.id, events: ["*"], target: { url: "a" } };
    const { endpointId } = await dispatcher.subscribe(subscription);
    const own = await dispatcher.endpoints.create({ ...WEBHOOK, destination: messages.id, target: { url: "a" } });
    for (const [method, path, body] of [
      ["PATCH", "", { active: false }],
      ["DELETE", ""],
      ["POST", "/rotate-secret"],
      ["POST", "/test"],
      ["POST", "/verify"],
    ] as [string, string, unknown?][]) {
      expect(await call(method, `/v1/endpoints/${endpointId}${path}`, { body }), method + path).toMatchObject({
        status: 409,
        body: { code: "endpoint_of_subscription" },
      });
    }
    expect(await dispatcher.endpoints.get({ tenantId: TENANT, id: endpointId })).toMatchObject({ active: true });
    expect(await call("PATCH", `/v1/endpoints/${own.id}`, { body: { url: "https://example.com/" } })).toMatchObject({
      status: 400,
      body: { code: "invalid_endpoint", errors: [{ pointer: "/body/url" }] },
    });
    expect((await dispatcher.endpoints.get(own))?.target).toEqual({ url: "a" });
  });

  it("refuses fields that it does not know at /v1/endpoints, at their paths", async () => {
    const { dispatcher, call } = await openHttp(databases);
    const { id } = await dispatcher.endpoints.create(WEBHOOK);
    const refusal = { status: 400, body: { code: "validation_failed", errors: [{ pointer: "/body/evnts" }] } };
    const body = { url: "https://example.com/", events: ["*"], evnts: ["a.b"] };
    expect(await call("POST", "/v1/endpoints", { body })).toMatchObject(refusal);
    const recovery = { since: "2026-01-01T00:00:00Z", evnts: 1 };
    expect(await call("POST", `/v1/endpoints/${id}/recover`, { body: recovery })).toMatchObject(refusal);
    for (const path of ["", "/rotate-secret", "/test"]) {
      const method = path === "" ? "PATCH" : "POST";
      expect(await call(method, `/v1/endpoints/${id}${path}`, { body: { evnts: 1 } })).toMatchObject(refusal);
    }
    expect(await call("PATCH", `/v1/endpoints/${id}`, { body: { policy: { a: 1 } } })).toMatchObject({
      body: { errors: [{ pointer: "/body/policy/a" }] },
    });
  });

  it("shows endpoints whose target cannot be decrypted without it, and the others as they are", async () => {
    const { dispatcher, database, schema, call } = await openHttp(databases);
    const made = await dispatcher.endpoints.create(WEBHOOK);
    const lost = await dispatcher.endpoints.create({ ...WEBHOOK, name: "lost" });
    await database.query(`update ${schema}.endpoints set target = $1 where id = $2`, ["", lost.id]);
    const { endpoints } = await dispatcher.endpoints.list({ tenantId: TENANT });
    expect(endpoints).toMatchObject([
      { id: made.id, target: WEBHOOK.target },
      { id: lost.id, target: null },
    ]);
    expect(await dispatcher.endpoints.get(lost)).toMatchObject({ name: "lost", target: null });
    expect(await call("GET", "/v1/endpoints")).toMatchObject({
      status: 200,
      body: { endpoints: [{ url: "https://example.com/" }, { url: null, name: "lost" }] },
    });
    expect(await call("GET", "/v1/webhooks")).toMatchObject({ status: 200, body: [{ id: made.id }, { url: null }] });
  });

  it("W1 writes a subscription's target with the subscription, and anew when it cannot be read", async () => {
    const { dispatcher, another } = await openDispatcher(databases, { destinations: [messages] });
    const subscription = { tenantId: TENANT, key: "k", destination: messages.id, events: ["*"], target: { url: "a" } };
    const { endpointId: id } = await dispatcher.subscribe(subscription);
    const endpoint = { tenantId: TENANT, id };
    expect(await dispatcher.endpoints.get(endpoint)).toMatchObject({ target: { url: "a" }, active: true });
    const elsewhere = another({ destinations: [messages], encryptionKey: [OTHER_KEY] });
    expect((await elsewhere.endpoints.get(endpoint))?.target).toBeNull();
    await elsewhere.subscribe(subscription);
    expect((await elsewhere.endpoints.get(endpoint))?.target).toEqual({ url: "a" });
  });

  it("W8 leaves an endpoint inactive that was made so, also when its URL is verified", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    receiver.answerWith((request) => ({ body: (request.json() as { challenge: string }).challenge }));
    const target = { url: receiver.url };
    const made = await dispatcher.endpoints.create({ ...WEBHOOK, target, verify: true, active: false });
    expect(made).toMatchObject({ active: false, verification: "pending", disabledReason: null });
    expect(await dispatcher.endpoints.verify(made)).toMatchObject({
      verified: true,
      endpoint: { active: false, verification: "verified" },
    });
    expect(await dispatcher.endpoints.enable(made)).toMatchObject({ active: true });
  });

  it("W8 leaves an endpoint inactive that was made so together with another URL, also when that is verified", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const receiver = await openReceiver();
    receiver.answerWith((request) => ({ body: (request.json() as { challenge: string }).challenge }));
    const made = await dispatcher.endpoints.create({ ...WEBHOOK, target: { url: receiver.url }, verify: true });
    expect((await dispatcher.endpoints.verify(made)).endpoint).toMatchObject({ active: true });
    const url = new URL("/other", receiver.url).href;
    expect(await dispatcher.endpoints.update(made, { targetChanges: { url }, active: false })).toMatchObject({
      active: false,
      verification: "pending",
      disabledReason: null,
    });
    expect(await dispatcher.endpoints.verify(made)).toMatchObject({
      verified: true,
      endpoint: { active: false, verification: "verified" },
    });
  });

  it("E14 leaves tests and verifications that failed out of a recovery and a retry by filter, also after one by hand", async () => {
    const { dispatcher } = await openDispatcher(databases, { retrySchedule: { delaysMs: [] } });
    const receiver = await openReceiver({ answer: () => ({ status: 503 }) });
    const endpoint = await dispatcher.endpoints.create({ ...WEBHOOK, target: { url: receiver.url } });
    const { deliveryId: tested } = await dispatcher.endpoints.test(endpoint);
    const { deliveryId: asking } = await dispatcher.endpoints.verify(endpoint);
    await dispatcher.start();
    await dispatcher.publish({ tenantId: TENANT, type: "a.b", data: {} });
    const dead = async (attempts: number) => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, status: "dead" });
      return deliveries.length === 3 && deliveries.filter((one) => one.attempts === attempts);
    };
    const [published] = await until(async () => {
      const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT, eventType: "a.b", status: "dead" });
      return deliveries.length === 1 && deliveries;
    });
    const byFilter = { tenantId: TENANT, filter: { endpointId: endpoint.id } };
    const { retryMany } = dispatcher.deliveries;
    expect(await retryMany(byFilter)).toEqual({
      results: [{ id: published?.id, status: "requeued" }],
      nextCursor: null,
    });
    expect(await retryMany({ tenantId: TENANT, ids: [tested, asking] })).toMatchObject({
      results: [{ status: "requeued" }, { status: "requeued" }],
    });
    await until(async () => ((await dead(2)) || []).length === 3);
    expect((await retryMany(byFilter)).results).toMatchObject([{ id: published?.id }]);
    await until(async () => ((await dead(3)) || []).length === 1);
    const asked = { tenantId: TENANT, endpointId: endpoint.id, since: new Date(0) };
    const { id } = await dispatcher.recover(asked);
    const recovery = await until(async () => {
      const found = await dispatcher.recoveries.get({ tenantId: TENANT, id });
      return found !== null && found.status !== "running" && found;
    });
    expect(recovery).toMatchObject({ matched: 1, requeued: 1 });
  });

  it("refuses policies that are none, or name what there is not", async () => {
    const { dispatcher } = await openDispatcher(databases);
    const made = await dispatcher.endpoints.create(WEBHOOK);
    const bad: readonly (readonly [unknown, string])[] = [
      [null, "policy"],
      [[], "policy"],
      [{ maxAtempts: 3 }, "policy.maxAtempts"],
      [{ toString: 1 }, "policy.toString"],
    ];
    for (const [wrong, path] of bad) {
      const policy = wrong as EndpointPolicy;
      const refusal = { code: "invalid_endpoint", issues: [{ path }] };
      await expect(dispatcher.endpoints.create({ ...WEBHOOK, policy }), path).rejects.toMatchObject(refusal);
      await expect(dispatcher.endpoints.update(made, { policy }), path).rejects.toMatchObject(refusal);
    }
  });

  it("refuses limits and retention that are none, or name what there is not; undefined is absent", async () => {
    const { database } = await openDispatcher(databases);
    const create = (options: object) =>
      createDispatcher({ database, encryptionKey: ENCRYPTION_KEY, ...options } as DispatcherOptions);
    for (const [options, path] of [
      [{ tenantLimits: null }, "tenantLimits"],
      [{ retention: null }, "retention"],
      [{ retention: { payloadsMs: 1 } }, "retention.payloadsMs"],
    ] as const) {
      expect(() => create(options), path).toThrow(
        expect.objectContaining({ code: "invalid_options", issues: [expect.objectContaining({ path })] }),
      );
    }
    create({ retention: { payloadMs: undefined, attemptMs: 1 } });
  });
});
