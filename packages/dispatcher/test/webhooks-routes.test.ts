import { describeMatrix } from "@hookline/postgres/testing";
import { xtsystems } from "@hookline/webhook-signing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/testing.js";
import { openReceiver, TENANT, until } from "./open-dispatcher.js";
import { openHttp } from "./open-http.js";

const WEBHOOK = { name: "Discord Bot", url: "https://example.com/webhooks/xtsystems", events: ["ticket.created"] };
const SECRET = "your_secure_webhook_secret";
const TYPES = [
  "ticket.created",
  "ticket.updated",
  "ticket.closed",
  "asset.created",
  "asset.updated",
  "user.created",
  "company.created",
  "machine.registered",
  "machine.approved",
  "alert.triggered",
];

/** As much of an OpenAPI document as is looked at here. */
interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, unknown>>;
}
interface Content {
  readonly content: { readonly "application/json": { readonly schema: Schema } };
}
interface Operation {
  readonly security?: unknown;
  readonly requestBody?: Content;
  readonly responses: { readonly "200": Content };
}

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("W1 W2 W3 makes, lists, shows, changes and deletes a webhook, in snake case and bare arrays", async () => {
    const { dispatcher, call } = await openHttp(databases);
    expect(await call("GET", "/v1/webhooks")).toEqual({ status: 200, body: [] });
    const { status, body: made } = await call("POST", "/v1/webhooks", {
      body: { ...WEBHOOK, headers: { "X-Team": "a" } },
    });
    const { secret, ...webhook } = made;
    expect(status).toBe(200);
    expect(secret).toMatch(/^.{32,}$/);
    expect(webhook).toEqual({
      id: expect.any(String),
      company_id: TENANT,
      ...WEBHOOK,
      active: true,
      retry_count: 3,
      timeout_seconds: 30,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    const path = `/v1/webhooks/${made.id}`;
    expect(await call("GET", path)).toEqual({ status: 200, body: webhook });
    expect((await call("GET", "/v1/webhooks")).body).toEqual([webhook]);

    const changed = await call("PUT", path, { body: { active: false, retry_count: 5, headers: null } });
    expect(changed).toMatchObject({
      status: 200,
      body: { ...WEBHOOK, active: false, retry_count: 5, timeout_seconds: 30 },
    });
    const endpoint = await dispatcher.endpoints.get({ tenantId: TENANT, id: made.id });
    expect(endpoint).toMatchObject({
      target: { url: WEBHOOK.url, profile: "xtsystems", scheme: "xtsystems", headers: { "x-team": "a" } },
      policy: { maxAttempts: 5, retrySchedule: { delaysMs: [1_000, 2_000, 4_000, 8_000] }, timeoutMs: 30_000 },
    });
    expect((await call("DELETE", path)).body).toEqual({ message: expect.any(String) });
    expect(await call("GET", path)).toMatchObject({ status: 404, body: { detail: expect.any(String) } });
    expect((await call("GET", "/v1/webhooks")).body).toEqual([]);
  });

  it.each([
    { guide: "the service's", secret: "your_secure_webhook_secret" },
    { guide: "the bot's", secret: "webhook_secret", active: true },
  ])("W2 W3 takes the webhook that $guide guide makes, as it stands there", async ({ guide: _, ...given }) => {
    const { call } = await openHttp(databases);
    const events = ["ticket.created", "ticket.updated", "machine.registered", "alert.triggered"];
    const body = { name: "Discord Bot", url: "http://localhost:3000/webhooks/xtsystems", events, ...given };
    expect(await call("POST", "/v1/webhooks", { body })).toMatchObject({ status: 200, body });
  });

  it("W3 makes a secret where none is given, be it absent, null or empty, and leaves it where a change has none", async () => {
    const { call } = await openHttp(databases);
    const receiver = await openReceiver({ scheme: xtsystems });
    for (const [index, given] of [{}, { secret: null }, { secret: "" }].entries()) {
      const body = { ...WEBHOOK, name: `n${index}`, url: receiver.url, ...given };
      const { body: made } = await call("POST", "/v1/webhooks", { body });
      expect(made.secret).toMatch(/^.{32,}$/);
      receiver.useSecret(made.secret);
      expect((await call("PUT", `/v1/webhooks/${made.id}`, { body: given })).status).toBe(200);
      await call("POST", `/v1/webhooks/${made.id}/test`);
      expect(receiver.requests.at(-1)).toMatchObject({ verified: true });
    }
    expect(receiver.requests).toHaveLength(3);
  });

  it("W1 W3 refuses a name that the company has, and fields that will not do", async () => {
    const { call } = await openHttp(databases);
    expect((await call("POST", "/v1/webhooks", { body: WEBHOOK })).status).toBe(200);
    expect(await call("POST", "/v1/webhooks", { body: WEBHOOK })).toMatchObject({
      status: 409,
      body: { code: "name_taken" },
    });
    expect((await call("POST", "/v1/webhooks", { as: "theirs", body: WEBHOOK })).status).toBe(200);
    for (const [field, value] of Object.entries({
      name: "",
      url: "nowhere",
      events: [],
      secret: "short",
      retry_count: 0,
      timeout_seconds: 31,
    })) {
      const refused = await call("POST", "/v1/webhooks", { body: { ...WEBHOOK, name: "b", [field]: value } });
      expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: `/body/${field}` }] } });
    }
  });

  it("W2 W8 answers 404 to another company's id, and hides endpoints that are no webhooks", async () => {
    const { dispatcher, call } = await openHttp(databases, { destinations: [{ id: "work", plan: () => null }] });
    const { body: made } = await call("POST", "/v1/webhooks", { body: WEBHOOK });
    const other = await dispatcher.endpoints.create({
      tenantId: TENANT,
      destination: "work",
      target: 1,
      events: ["*"],
    });
    const refused = async (id: string, as: string) => {
      const path = `/v1/webhooks/${id}`;
      const calls = [
        call("GET", path, { as }),
        call("PUT", path, { as, body: { active: false } }),
        call("DELETE", path, { as }),
        call("POST", `${path}/test`, { as }),
        call("GET", `${path}/deliveries`, { as }),
      ];
      for (const answer of await Promise.all(calls)) expect(answer.status).toBe(404);
    };
    await refused(made.id, "theirs");
    await refused(other.id, "ours");
    expect((await call("GET", "/v1/webhooks", { as: "theirs" })).body).toEqual([]);
    expect((await call("GET", "/v1/webhooks")).body).toHaveLength(1);
    expect((await call("GET", `/v1/webhooks/${made.id}`)).body.active).toBe(true);
  });

  it("W2 lists all webhooks, more than a page of them", async () => {
    const { dispatcher, call } = await openHttp(databases);
    const input = { tenantId: TENANT, target: { url: "https://example.com" }, events: ["*"] };
    await Promise.all(Array.from({ length: 203 }, () => dispatcher.endpoints.create(input)));
    const { body } = await call("GET", "/v1/webhooks");
    expect(new Set(body.map(({ id }: { id: string }) => id)).size).toBe(203);
    // Made elsewhere, so nothing was said about these.
    expect(body[0]).toMatchObject({ name: null, retry_count: null, timeout_seconds: null });
  });

  it("W5 W6 sends the ten event types to a matching active webhook, signed, and logs each delivery", async () => {
    const { dispatcher, call } = await openHttp(databases);
    await dispatcher.start();
    const receiver = await openReceiver({ scheme: xtsystems, secret: SECRET, answer: () => ({ body: "ok" }) });
    const make = (more: object) => call("POST", "/v1/webhooks", { body: { ...WEBHOOK, url: receiver.url, ...more } });
    const { body: made } = await make({ events: TYPES, secret: SECRET });
    expect(made.secret).toBe(SECRET);
    const { body: idle } = await make({ name: "idle", events: TYPES, active: false });
    await make({ name: "others", events: ["webhook.other"] });
    const timestamp = new Date("2026-01-15T10:30:00.400Z");
    await dispatcher.publishMany(TYPES.map((type) => ({ tenantId: TENANT, type, data: { title: type }, timestamp })));

    const path = `/v1/webhooks/${made.id}/deliveries`;
    const log = await until(async () => {
      const { body } = await call("GET", path);
      return body.filter((each: { delivered_at: unknown }) => each.delivered_at !== null).length === 10 ? body : null;
    });
    expect(receiver.requests.map(({ verified }) => verified)).toEqual(TYPES.map(() => true));
    expect(log.map((each: { event_type: string }) => each.event_type).sort()).toEqual([...TYPES].sort());
    for (const entry of log) {
      expect(entry).toEqual({
        id: expect.any(String),
        webhook_id: made.id,
        event_type: entry.event_type,
        payload: {
          event_type: entry.event_type,
          data: { title: entry.event_type },
          company_id: TENANT,
          timestamp: 1768473000,
        },
        response_status: 200,
        response_body: "ok",
        attempts: 1,
        delivered_at: expect.stringMatching(/Z$/),
        created_at: expect.stringMatching(/Z$/),
      });
      // What is shown is what was sent.
      expect(receiver.requests.map(({ body }) => body)).toContain(JSON.stringify(entry.payload));
    }
    expect((await call("GET", `${path}?limit=3`)).body).toEqual(log.slice(0, 3));
    expect((await call("GET", `${path}?limit=0`)).status).toBe(400);
    const held = (await call("GET", `/v1/webhooks/${idle.id}/deliveries`)).body;
    expect(held).toHaveLength(10);
    expect(held[0]).toMatchObject({ attempts: 0, response_status: null, response_body: null, delivered_at: null });
    expect(receiver.requests).toHaveLength(10);
  });

  it("W5 N7 tries three times with growing waits, and logs what the last attempt got", async () => {
    const clock = createVirtualClock();
    const { dispatcher, call } = await openHttp(databases, { clock, random: () => 0.5 });
    await dispatcher.start();
    const receiver = await openReceiver({ answer: () => ({ status: 500, body: "oops" }) });
    const { body: made } = await call("POST", "/v1/webhooks", { body: { ...WEBHOOK, url: receiver.url } });
    await dispatcher.publish({ tenantId: TENANT, type: "ticket.created", data: {} });
    const startMs = clock.now();
    const waits: number[] = [];
    const attempted = (attempts: number) =>
      until(async () => {
        const { deliveries } = await dispatcher.deliveries.list({ tenantId: TENANT });
        return deliveries.find(
          (delivery) => delivery.attempts === attempts && (delivery.endedAt || delivery.nextAttemptAt),
        );
      });
    for (const attempt of [1, 2]) {
      const { nextAttemptAt } = await attempted(attempt);
      waits.push((nextAttemptAt?.getTime() ?? 0) - startMs);
      clock.advanceTo(nextAttemptAt ?? 0);
    }
    expect(waits).toEqual([1_000, 3_000]);
    expect(await attempted(3)).toMatchObject({ status: "dead", ending: "exhausted" });
    const failed = { attempts: 3, response_status: 500, response_body: "oops", delivered_at: null };
    expect((await call("GET", `/v1/webhooks/${made.id}/deliveries`)).body).toMatchObject([failed]);
  });

  it("W7 tests a webhook and says whether it was delivered", async () => {
    const { call } = await openHttp(databases);
    const receiver = await openReceiver({ scheme: xtsystems, secret: SECRET });
    const body = { ...WEBHOOK, url: receiver.url, secret: SECRET };
    const { body: made } = await call("POST", "/v1/webhooks", { body });
    const path = `/v1/webhooks/${made.id}`;
    expect((await call("POST", `${path}/test`)).body).toEqual({ success: true, message: expect.any(String) });
    const [request] = receiver.requests;
    expect(request).toMatchObject({ verified: true, headers: { "user-agent": "XTSystems-Webhook/1.0" } });
    expect(request?.json()).toEqual({
      event_type: "webhook.test",
      data: { message: expect.any(String), timestamp: expect.stringMatching(/Z$/), webhook_id: made.id },
      company_id: TENANT,
      timestamp: expect.closeTo(Date.now() / 1000, -2),
    });
    await receiver.close();
    expect((await call("POST", `${path}/test`)).body).toEqual({
      success: false,
      message: expect.stringMatching(/failed/),
    });
    expect((await call("GET", `${path}/deliveries`)).body).toMatchObject([
      { event_type: "webhook.test", response_status: 0, response_body: expect.any(String), delivered_at: null },
      { event_type: "webhook.test", response_status: 200, delivered_at: expect.any(String) },
    ]);
  });

  it("W3 W8 replaces the secret at once, and takes the one it has as no change", async () => {
    const { call } = await openHttp(databases);
    const receiver = await openReceiver({ scheme: xtsystems, secret: "another secret of theirs" });
    const body = { ...WEBHOOK, url: receiver.url, secret: SECRET };
    const { body: made } = await call("POST", "/v1/webhooks", { body });
    const path = `/v1/webhooks/${made.id}`;
    expect((await call("PUT", path, { body })).status).toBe(200);
    const changed = await call("PUT", path, { body: { secret: "another secret of theirs" } });
    expect(changed.body).not.toHaveProperty("secret");
    await call("POST", `${path}/test`);
    expect(receiver.requests).toMatchObject([{ verified: true }]);
  });

  it("W3 W8 changes nothing when the new secret will not do, or the URL cannot be decrypted", async () => {
    const { dispatcher, database, schema, call } = await openHttp(databases);
    const target = { url: WEBHOOK.url };
    const { id } = await dispatcher.endpoints.create({ tenantId: TENANT, name: "first", target, events: ["*"] });
    const change = { name: "second", secret: "no secret of Standard Webhooks" };
    const refused = () => call("PUT", `/v1/webhooks/${id}`, { body: change });
    expect(await refused()).toMatchObject({
      status: 400,
      body: { code: "invalid_endpoint", errors: [{ pointer: "/body/secret" }] },
    });
    await database.query(`update ${schema}.endpoints set target = '' where id = $1`, [id]);
    expect(await refused()).toMatchObject({ status: 409, body: { code: "endpoint_unreadable" } });
    expect((await call("GET", `/v1/webhooks/${id}`)).body).toMatchObject({ name: "first" });
  });

  it("W2 W3 describes each route, status and field of it in the OpenAPI document, and how to prove who one is", async () => {
    const { routes } = await openHttp(databases);
    const document = routes.getOpenAPIDocument({ openapi: "3.1.0", info: { title: "t", version: "1" } });
    const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({ path, method, operation })),
    );
    for (const { operation } of operations) expect(operation.security).toEqual([{ apiKey: [] }]);
    expect(document.components?.securitySchemes).toHaveProperty("apiKey");

    const schemas = document.components?.schemas as Record<string, Schema>;
    /** A list's fields are those of its entries. */
    const fieldsOf = ({ $ref, items, allOf, properties }: Schema): readonly string[] => {
      if ($ref !== undefined) return fieldsOf(schemas[$ref.split("/").at(-1) ?? ""] ?? {});
      if (items !== undefined) return fieldsOf(items);
      return [...(allOf ?? []).flatMap(fieldsOf), ...Object.keys(properties ?? {})].sort();
    };
    const shown = operations
      .filter(({ path }) => path.startsWith("/v1/webhooks"))
      .map(({ path, method, operation: { requestBody, responses } }) => [
        `${method} ${path.slice("/v1/webhooks".length)}`,
        Object.keys(responses).join(" "),
        requestBody === undefined ? null : fieldsOf(requestBody.content["application/json"].schema),
        fieldsOf(responses["200"].content["application/json"].schema),
      ]);
    const given = ["active", "events", "headers", "name", "retry_count", "secret", "timeout_seconds", "url"];
    const webhook = ["active", "company_id", "created_at", "events", "id", "name", "retry_count", "timeout_seconds"];
    const all = [...webhook, "updated_at", "url"];
    const log = ["attempts", "created_at", "delivered_at", "event_type", "id", "payload", "response_body"];
    expect(shown).toEqual([
      ["get ", "200 400 401", null, all],
      ["post ", "200 400 401 409", given, [...all, "secret"].sort()],
      ["get /{webhookId}", "200 400 401 404", null, all],
      ["put /{webhookId}", "200 400 401 404 409", given, all],
      ["delete /{webhookId}", "200 400 401 404", null, ["message"]],
      ["post /{webhookId}/test", "200 400 401 404", null, ["message", "success"]],
      ["get /{webhookId}/deliveries", "200 400 401 404", null, [...log, "response_status", "webhook_id"]],
    ]);
  });

  it("W3 sends a webhook's own headers, and waits as long as its timeout_seconds say", async () => {
    const { dispatcher, call } = await openHttp(databases);
    const receiver = await openReceiver({ answer: () => ({ delayMs: 3_000 }) });
    const own = { "X-Team": "a", Authorization: "Bearer t" };
    const body = { ...WEBHOOK, url: receiver.url, headers: own, timeout_seconds: 1 };
    const { body: made } = await call("POST", "/v1/webhooks", { body });
    const { attempt } = await dispatcher.endpoints.test({ tenantId: TENANT, id: made.id });
    expect(attempt).toMatchObject({ errorCode: "timeout", status: null });
    expect(attempt.durationMs).toBeLessThan(3_000);
    const sent = { "x-team": "a", authorization: "Bearer t", "user-agent": "XTSystems-Webhook/1.0" };
    expect(receiver.requests).toMatchObject([{ headers: sent }]);
  });

  it("W8 takes https only where plain http is not allowed, as in production", async () => {
    const { call } = await openHttp(databases, { addressGuard: {} });
    for (const path of ["/v1/webhooks", "/v1/endpoints"]) {
      const refused = await call("POST", path, { body: { ...WEBHOOK, url: "http://example.com/hook" } });
      expect(refused).toMatchObject({
        status: 400,
        body: { code: "invalid_endpoint", errors: [{ pointer: "/body/url" }] },
      });
      expect((await call("POST", path, { body: { ...WEBHOOK, name: path } })).body).toMatchObject({ url: WEBHOOK.url });
    }
    const [{ id }] = (await call("GET", "/v1/webhooks")).body;
    const changed = await call("PUT", `/v1/webhooks/${id}`, { body: { url: "http://example.com/hook" } });
    expect(changed).toMatchObject({ status: 400, body: { errors: [{ pointer: "/body/url" }] } });
  });
});
