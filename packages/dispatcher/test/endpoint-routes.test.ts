import { defineDestination } from "@hookline/core";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const WEBHOOK = { url: "https://example.com/hook", events: ["ticket.*"] };

/** Posts an event's type to the URL that its target holds. */
const chat = defineDestination<{ readonly url: string }>({
  id: "chat",
  plan: (event, { endpoint }) => ({
    kind: "request",
    request: { method: "POST", url: endpoint.target.url, headers: {}, body: event.type },
  }),
});

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 W3 N4 takes, shows and replaces a policy with all that it can say, and the contact address", async () => {
    const { call, dispatcher } = await openHttp(databases);
    const policy = {
      maxAttempts: 4,
      timeoutMs: 5_000,
      retrySchedule: { delaysMs: [1_000, 2_000, 4_000], jitterRatio: 0.1 },
      ordering: "block",
      rateLimit: { count: 10, perMs: 1_000 },
      maxInFlight: 2,
      retryClientErrors: false,
      circuitBreaker: false,
      disableAfterMs: null,
    };
    const made = await call("POST", "/v1/endpoints", {
      body: { ...WEBHOOK, policy, contactAddress: "ops@acme.example" },
    });
    expect(made).toMatchObject({ status: 201, body: { contactAddress: "ops@acme.example" } });
    expect(made.body.policy).toEqual(policy);
    expect((await dispatcher.endpoints.get({ tenantId: TENANT, id: made.body.id }))?.policy).toEqual(policy);
    const path = `/v1/endpoints/${made.body.id}`;
    expect((await call("PATCH", path, { body: { active: false } })).body.policy).toEqual(policy);
    const changed = await call("PATCH", path, { body: { policy: { maxAttempts: 2 }, contactAddress: null } });
    expect(changed.body).toMatchObject({ contactAddress: null, url: WEBHOOK.url });
    expect(changed.body.policy).toEqual({ maxAttempts: 2 });
    expect((await call("GET", path)).body.policy).toEqual({ maxAttempts: 2 });
  });

  it.each([
    { body: { policy: { maxAttempts: 0 } }, pointer: "/body/policy/maxAttempts" },
    { body: { policy: { timeoutMs: -1 } }, pointer: "/body/policy/timeoutMs" },
    { body: { policy: { retrySchedule: { delaysMs: [-1] } } }, pointer: "/body/policy/retrySchedule/delaysMs" },
    { body: { policy: { ordering: "always" } }, pointer: "/body/policy/ordering" },
    { body: { policy: { rateLimit: { count: 1 } } }, pointer: "/body/policy/rateLimit/perMs" },
    { body: { policy: { maxInFlight: 0 } }, pointer: "/body/policy/maxInFlight" },
    { body: { policy: { disableAfterMs: 1 } }, pointer: "/body/policy/disableAfterMs" },
    { body: { policy: { retry: true } }, pointer: "/body/policy/retry" },
    { body: { contactAddress: "ops" }, pointer: "/body/contactAddress" },
    { body: { url: undefined }, pointer: "/body/url" },
    { body: { target: { url: "https://example.com" } }, pointer: "/body/target" },
  ])("refuses what will not do at $pointer", async ({ body, pointer }) => {
    const { call } = await openHttp(databases);
    expect(await call("POST", "/v1/endpoints", { body: { ...WEBHOOK, ...body } })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer }] },
    });
  });

  it("N5 shows how an endpoint does", async () => {
    const { call, dispatcher } = await openHttp(databases, { circuitBreaker: { failures: 1 } });
    const receiver = await openReceiver({ answer: () => ({ status: 500 }) });
    const { body: made } = await call("POST", "/v1/endpoints", { body: { ...WEBHOOK, url: receiver.url } });
    expect(made.health).toEqual({ circuit: "closed", failures: 0, failingSince: null, blockedUntil: null });
    await dispatcher.start();
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    await until(async () => (await call("GET", `/v1/endpoints/${made.id}`)).body.health.failures === 1);
    expect((await call("GET", "/v1/endpoints")).body.endpoints[0].health).toEqual({
      circuit: "open",
      failures: 1,
      failingSince: expect.stringMatching(/Z$/),
      blockedUntil: expect.stringMatching(/Z$/),
    });
  });

  it("W1 W8 makes and changes endpoints of other destinations that are offered, and never shows their targets", async () => {
    const options = { destinations: [chat as never] };
    const { call, dispatcher } = await openHttp(databases, options, { destinations: ["chat"] });
    await dispatcher.start();
    const [receiver, other] = [await openReceiver(), await openReceiver()];
    const made = await call("POST", "/v1/endpoints", {
      body: { destination: "chat", target: { url: receiver.url }, events: ["ticket.*"], name: "team" },
    });
    expect(made).toMatchObject({ status: 201, body: { destination: "chat", name: "team", url: null, secret: null } });
    expect(JSON.stringify(made.body)).not.toContain(receiver.url);
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    expect(await receiver.waitFor(1)).toMatchObject([{ body: "ticket.created" }]);

    const path = `/v1/endpoints/${made.body.id}`;
    expect(await call("PATCH", path, { body: { target: { url: other.url } } })).toMatchObject({ status: 200 });
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.updated", data: {} });
    expect(await other.waitFor(1)).toMatchObject([{ body: "ticket.updated" }]);
    for (const body of [{ url: other.url }, { template: null }]) {
      const [field] = Object.keys(body);
      expect(await call("PATCH", path, { body })).toMatchObject({
        status: 400,
        body: { code: "invalid_endpoint", errors: [{ pointer: `/body/${field}` }] },
      });
    }
    expect(await call("PATCH", path, { as: "theirs", body: { target: {} } })).toMatchObject({ status: 404 });
    expect(await call("POST", "/v1/endpoints", { body: { destination: "chat", events: ["*"] } })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: "/body/target" }] },
    });
  });

  it("W8 refuses destinations that are not offered, also such as the dispatcher has", async () => {
    const mailer = { send: async () => {} };
    const { call, dispatcher } = await openHttp(databases, { destinations: [chat as never], mailer });
    for (const destination of ["chat", "hookline-endpoint-notice", "nothing"]) {
      const body = { destination, target: { to: "someone@example.com" }, events: ["*"] };
      expect(await call("POST", "/v1/endpoints", { body })).toMatchObject({
        status: 400,
        body: { code: "unknown_destination", errors: [{ pointer: "/body/destination" }] },
      });
    }
    const notice = { tenantId: TENANT, destination: "hookline-endpoint-notice", target: { to: "a@example.com" } };
    await expect(dispatcher.endpoints.create({ ...notice, events: ["*"] })).rejects.toMatchObject({
      code: "unknown_destination",
    });
    await expect(dispatcher.send({ ...notice, data: {} })).rejects.toMatchObject({ code: "unknown_destination" });
  });

  it("W2 describes policy, health and contact address in the OpenAPI document", async () => {
    const { routes } = await openHttp(databases);
    const document = routes.getOpenAPIDocument({ openapi: "3.0.0", info: { title: "x", version: "1" } });
    const schemas = document.components?.schemas as Record<string, { readonly properties?: object }>;
    expect(Object.keys(schemas.EndpointPolicy?.properties ?? {}).sort()).toEqual([
      "circuitBreaker",
      "deleteWhenGone",
      "disableAfterMs",
      "maxAttempts",
      "maxInFlight",
      "ordering",
      "rateLimit",
      "retryClientErrors",
      "retrySchedule",
      "timeoutMs",
    ]);
    expect(schemas.Endpoint?.properties).toMatchObject({ policy: {}, health: {}, contactAddress: {} });
  });
});
