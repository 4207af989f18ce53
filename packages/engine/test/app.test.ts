import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { createRoute, z } from "@hono/zod-openapi";
import type { Connector } from "@hookline/core";
import { Hono } from "hono";
import { expect, it, onTestFinished } from "vitest";
import { type AppOptions, createApp, createRouter, requireApiKey } from "../src/index.js";
import { describeMatrix, discordConnector, listen, openWorld, type World } from "./support/world.js";

/** What signatures need: the bytes and the headers as they came. */
const echo = async (request: Request) => {
  const body = Buffer.from(await request.arrayBuffer());
  return Response.json({
    sha256: createHash("sha256").update(body).digest("hex"),
    bytes: body.length,
    signature: request.headers.get("x-signature-ed25519"),
  });
};

function connector(): Connector {
  const route = { method: "POST" as const, rateLimited: false, maxBodyBytes: 1024, handle: echo };
  return discordConnector({
    routes: [
      { ...route, path: "/ingress", summary: "Take a batch", maxBodyBytes: 256 * 1024 },
      { ...route, path: "/interactions", summary: "Take an interaction" },
      {
        method: "GET",
        path: "/oauth/callback",
        summary: "Finish an installation",
        rateLimited: true,
        maxBodyBytes: 1024,
        handle: async (_request, context) => {
          const first = await context.acceptOnce("state-1", 60);
          return new Response(first ? "installed" : "seen before");
        },
      },
      {
        method: "POST",
        path: "/broken",
        summary: "Fail",
        rateLimited: true,
        maxBodyBytes: 1024,
        handle: () => Promise.reject(new Error("password=hunter2")),
      },
    ],
  });
}

function productRoutes(engine: World["engine"]) {
  const router = createRouter();
  const body = z.object({ title: z.string().min(1), priority: z.number().int() });
  router.openapi(
    createRoute({
      method: "post",
      path: "/v1/tickets",
      summary: "Open a ticket",
      security: [{ apiKey: [] }],
      middleware: requireApiKey(engine, "write"),
      request: { body: { content: { "application/json": { schema: body } }, required: true } },
      responses: {
        201: { description: "Opened", content: { "application/json": { schema: z.object({ tenantId: z.string() }) } } },
      },
    }),
    (c) => c.json({ tenantId: c.var.principal.tenantId }, 201),
  );
  return router;
}

describeMatrix("the HTTP app", (databases) => {
  async function open(options: Partial<AppOptions> = {}) {
    const world = await openWorld(databases, { connectors: [connector()] });
    const app = createApp(world.engine, {
      ...options,
      routes: [world.coldConnect.routes, productRoutes(world.engine), new Hono().get("/plain", (c) => c.text("plain"))],
    });
    const url = await listen(app);
    const { key } = await world.engine.apiKeys.create({ tenantId: "acme", name: "test" });
    return { ...world, app, url, auth: { authorization: `Bearer ${key}` } };
  }

  it("H6 serves each connector's routes under its id, with the bytes and headers as they came", async () => {
    const { url } = await open();
    const body = Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0x0d, 0x0a, ...Buffer.from('{"a": 1}')]);
    for (const path of ["ingress", "interactions"]) {
      const answer = await fetch(`${url}/v1/connectors/discord/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-signature-ed25519": "abc" },
        body,
      });
      expect(await answer.json()).toEqual({
        sha256: createHash("sha256").update(body).digest("hex"),
        bytes: body.length,
        signature: "abc",
      });
    }
    expect(await (await fetch(`${url}/v1/connectors/discord/oauth/callback`)).text()).toBe("installed");
    expect(await (await fetch(`${url}/v1/connectors/discord/oauth/callback`)).text()).toBe("seen before");
  });

  it("refuses a body over the route's limit with 413, whether its length is announced or not", async () => {
    const { url } = await open();
    const at = (path: string, bytes: number) =>
      fetch(`${url}/v1/connectors/discord/${path}`, { method: "POST", body: Buffer.alloc(bytes) });
    expect((await at("interactions", 1024)).status).toBe(200);
    expect((await at("ingress", 256 * 1024)).status).toBe(200);
    const refused = await at("interactions", 1025);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ status: 413, code: "body_too_large" });

    expect(await chunked(`${url}/v1/connectors/discord/interactions`, 1024)).toBe(200);
    expect(await chunked(`${url}/v1/connectors/discord/interactions`, 1025)).toBe(413);
  });

  it("H7 counts requests per address under /v1/connectors, with ingress and interactions exempt", async () => {
    const { url } = await open({ trustProxy: 1 });
    const call = (path: string, address: string, method = "GET") =>
      fetch(`${url}/v1/connectors/discord/${path}`, { method, headers: { "x-forwarded-for": address } });
    const first = await call("oauth/callback", "203.0.113.7");
    expect(first.status).toBe(200);
    expect(first.headers.get("ratelimit-policy")).toBe('"connectors";q=60;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"connectors";r=59;t=\d+$/);
    // What does not exist is counted too, or guessing would be free.
    for (let index = 1; index < 60; index++) await call(index % 2 ? "oauth/callback" : "nothing", "203.0.113.7");
    const refused = await call("oauth/callback", "203.0.113.7");
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ status: 429, code: "rate_limited" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(refused.headers.get("ratelimit")).toMatch(/^"connectors";r=0;t=\d+$/);

    expect((await call("oauth/callback", "203.0.113.8")).status).toBe(200);
    for (const exempt of ["ingress", "interactions"]) {
      const answer = await call(exempt, "203.0.113.7", "POST");
      expect(answer.status).toBe(200);
      expect(answer.headers.has("ratelimit")).toBe(false);
    }
  });

  it("H7 lets nothing through that it can't count, and still takes the exempt routes", async () => {
    const { url, database, schema } = await open();
    await database.query(`alter table "${schema}".rate_limits rename to gone`);
    onTestFinished(async () => {
      await database.query(`alter table "${schema}".gone rename to rate_limits`);
    });
    const refused = await fetch(`${url}/v1/connectors/discord/oauth/callback`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "unavailable" });
    expect((await fetch(`${url}/v1/connectors/discord/ingress`, { method: "POST" })).status).toBe(200);
  });

  it("H7 believes no X-Forwarded-For unless told how many proxies stand in front", async () => {
    const { url } = await open({ connectorRequestsPerMinute: 3 });
    const statuses = [];
    for (let index = 0; index < 5; index++) {
      const answer = await fetch(`${url}/v1/connectors/discord/oauth/callback`, {
        headers: { "x-forwarded-for": `203.0.113.${index}` },
      });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  it("H7 reads the address that its own proxy appended, and takes a /64 of IPv6 as one address", async () => {
    const { url } = await open({ connectorRequestsPerMinute: 1, trustProxy: 1 });
    const status = async (forwarded: string) =>
      (await fetch(`${url}/v1/connectors/discord/oauth/callback`, { headers: { "x-forwarded-for": forwarded } }))
        .status;
    expect(await status("198.51.100.1, 203.0.113.7")).toBe(200);
    expect(await status("198.51.100.2, 203.0.113.7")).toBe(429);
    expect(await status("2001:db8:1:2::1")).toBe(200);
    expect(await status("2001:db8:1:2:ffff::9")).toBe(429);
    expect(await status("2001:db8:1:3::1")).toBe(200);
    expect(await status("::ffff:203.0.113.7")).toBe(429);
  });

  it("lets an API key read its tenant's contacts and events, and nobody else", async () => {
    const { url, engine, auth } = await open();
    const seen = (tenantId: string, index: number) => ({
      tenantId,
      type: index % 2 ? "user.moved" : "user.signed_up",
      timestamp: new Date(Date.UTC(2026, 2, 1, 0, 0, index)),
      idempotencyKey: `${tenantId}-${index}`,
      identities: [{ kind: "external", value: String(index % 3) }],
      data: { index },
    });
    const mine = await engine.ingest(Array.from({ length: 5 }, (_, index) => seen("acme", index)));
    const [theirs] = await engine.ingest([seen("globex", 0)]);
    const get = async (path: string, headers: Record<string, string> = auth) => {
      const answer = await fetch(url + path, { headers });
      return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, never> };
    };

    for (const path of ["/v1/contacts", "/v1/contacts/x", "/v1/contacts/x/timeline", "/v1/events"]) {
      for (const headers of [{}, { authorization: "Bearer hk_wrong" }, { authorization: "Basic x" }]) {
        const refused = await get(path, headers as Record<string, string>);
        expect(refused.status).toBe(401);
        expect(refused.body).toMatchObject({ status: 401, code: "unauthorized" });
        expect(refused.headers.get("www-authenticate")).toBe("Bearer");
      }
    }

    const firstPage = await get("/v1/contacts?limit=2");
    expect(firstPage.body).toMatchObject({ contacts: [{ tenantId: "acme" }, { tenantId: "acme" }] });
    const secondPage = await get(`/v1/contacts?limit=2&cursor=${firstPage.body.nextCursor}`);
    expect(secondPage.body).toMatchObject({ contacts: [{}], nextCursor: null });

    const contactId = mine[0]?.status === "stored" ? mine[0].contactId : "";
    expect((await get(`/v1/contacts/${contactId}`)).body).toMatchObject({ id: contactId, aliases: [] });
    expect((await get("/v1/contacts?kind=external&value=0")).body).toMatchObject({ contacts: [{ id: contactId }] });
    expect((await get("/v1/contacts?kind=external&value=none")).body).toEqual({ contacts: [], nextCursor: null });
    expect((await get(`/v1/contacts/${contactId}/timeline`)).body).toMatchObject({
      events: [{ data: { index: 3 } }, { data: { index: 0 } }],
      nextCursor: null,
    });
    expect((await get("/v1/events?type=user.moved")).body).toMatchObject({
      events: [{ data: { index: 3 } }, { data: { index: 1 } }],
    });
    expect((await get(`/v1/events?subjectId=${contactId}`)).body).toMatchObject({ events: [{}, {}] });
    const longAgo = "2000-01-01T00:00:00Z";
    expect((await get(`/v1/events?subjectId=${contactId}&since=${longAgo}`)).body).toMatchObject({ events: [{}, {}] });
    expect((await get(`/v1/events?until=${longAgo}`)).body).toEqual({ events: [], nextCursor: null });

    const strangerId = theirs?.status === "stored" ? theirs.contactId : "";
    for (const id of [strangerId, "con_nobody", "%00", "../events"].map(encodeURIComponent)) {
      expect((await get(`/v1/contacts/${id}`)).status).toBe(404);
      expect((await get(`/v1/contacts/${id}/timeline`)).body).toMatchObject({ code: "contact_not_found" });
    }
  });

  it("answers every refusal as problem details with a code", async () => {
    const { url, auth } = await open();
    const json = { ...auth, "content-type": "application/json" };
    const cases: [string, RequestInit, number, string][] = [
      ["/nothing", {}, 404, "route_not_found"],
      ["/health", { method: "DELETE" }, 405, "method_not_allowed"],
      ["/v1/tickets", { method: "GET" }, 405, "method_not_allowed"],
      ["/v1/contacts?limit=0", { headers: auth }, 400, "validation_failed"],
      ["/v1/contacts?limit=many", { headers: auth }, 400, "validation_failed"],
      ["/v1/contacts?kind=email", { headers: auth }, 400, "validation_failed"],
      ["/v1/contacts?kind=telegram&value=1", { headers: auth }, 400, "invalid_identity"],
      ["/v1/contacts?kind=email&value=x", { headers: auth }, 400, "invalid_email"],
      ["/v1/contacts?cursor=%25", { headers: auth }, 400, "invalid_cursor"],
      ["/v1/events?cursor=%25", { headers: auth }, 400, "invalid_cursor"],
      ["/v1/events?since=yesterday", { headers: auth }, 400, "validation_failed"],
      ["/v1/tickets", { method: "POST", headers: json, body: "{not json" }, 400, "invalid_json"],
      ["/v1/tickets", { method: "POST", headers: json, body: "{}" }, 400, "validation_failed"],
      [
        "/v1/tickets",
        { method: "POST", headers: json, body: `{"title":"${"x".repeat(1_100_000)}"}` },
        413,
        "body_too_large",
      ],
      ["/v1/tickets", { method: "POST", body: "{}" }, 401, "unauthorized"],
      ["/v1/connectors/discord/broken", { method: "POST" }, 500, "internal_error"],
      ["/v1/connectors/other/ingress", { method: "POST" }, 404, "route_not_found"],
    ];
    for (const [path, init, status, code] of cases) {
      const answer = await fetch(url + path, init);
      const body = await answer.json();
      expect([path, answer.status, answer.headers.get("content-type"), body]).toEqual([
        path,
        status,
        "application/problem+json",
        expect.objectContaining({
          type: "about:blank",
          title: expect.any(String),
          status,
          code,
          detail: expect.any(String),
        }),
      ]);
      expect(JSON.stringify(body)).not.toMatch(/hunter2|\/src\/|node_modules/);
    }
    const allowed = await fetch(`${url}/v1/tickets`);
    expect(allowed.headers.get("allow")).toBe("POST");
  });

  it("names each field that is wrong", async () => {
    const { url, auth } = await open();
    const answer = await fetch(`${url}/v1/tickets`, {
      method: "POST",
      headers: { ...auth, "content-type": "application/json" },
      body: JSON.stringify({ title: "", priority: "high" }),
    });
    expect(await answer.json()).toMatchObject({
      code: "validation_failed",
      errors: [
        { pointer: "/body/title", message: expect.any(String) },
        { pointer: "/body/priority", message: expect.any(String) },
      ],
    });
  });

  it("refuses a key without the scope that a route asks for", async () => {
    const { url, engine } = await open();
    const { key } = await engine.apiKeys.create({ tenantId: "acme", name: "reader", scopes: ["read"] });
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    expect((await fetch(`${url}/v1/contacts`, { headers })).status).toBe(200);
    const refused = await fetch(`${url}/v1/tickets`, { method: "POST", headers, body: '{"title":"a","priority":1}' });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "scope_missing" });
  });

  it("gives every answer a request id and security headers, and lets no other origin in", async () => {
    const { url } = await open();
    for (const path of ["/health", "/plain", "/nothing", "/v1/contacts", "/v1/connectors/discord/oauth/callback"]) {
      const { headers } = await fetch(url + path, { headers: { origin: "https://evil.example" } });
      expect(headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.has("access-control-allow-origin")).toBe(false);
    }
    const id = async (given: string) =>
      (await fetch(`${url}/health`, { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await id("trace-12345678")).toBe("trace-12345678");
    expect(await id("a b <script>")).not.toBe("a b <script>");
  });

  it("logs a failure with its cause, which the answer keeps to itself", async () => {
    const { url, logged } = await open();
    await fetch(`${url}/v1/connectors/discord/broken?token=abc`, { method: "POST" });
    expect(logged()).toContain("hunter2");
    expect(logged()).not.toContain("token=abc");
  });

  it("X8 tells on /health that it is up and on /ready whether it can serve", async () => {
    const { url, database, schema } = await open();
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ok", uptimeSeconds: expect.any(Number) });
    const ready = await fetch(`${url}/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      status: "ok",
      checks: { database: { status: "ok", durationMs: expect.any(Number) } },
    });
    await database.query(`alter table "${schema}".contacts rename to gone`);
    onTestFinished(async () => {
      await database.query(`alter table "${schema}".gone rename to contacts`);
    });
    const failing = await fetch(`${url}/ready`);
    expect(failing.status).toBe(503);
    expect(await failing.json()).toMatchObject({ status: "failing" });
    expect((await fetch(`${url}/health`, { method: "POST" })).status).toBe(200);
  });

  it("X8 is not ready while a further check says no or throws", async () => {
    let works: () => boolean = () => true;
    const { url } = await open({ readiness: { deliveries: async () => works() } });
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    works = () => false;
    const failing = await fetch(`${url}/ready`);
    expect(failing.status).toBe(503);
    expect(await failing.json()).toMatchObject({
      status: "failing",
      checks: { database: { status: "ok" }, deliveries: { status: "failing" } },
    });
    works = () => {
      throw new Error("stuck");
    };
    expect((await fetch(`${url}/ready`)).status).toBe(503);
  });

  it("describes every route that it has in /openapi.json, and shows them on /docs without a script", async () => {
    const { url, app } = await open();
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const mounted = app.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/plain")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect([...new Set(described)].sort()).toEqual([...new Set(mounted)].sort());
    expect(described).toContain("POST /v1/connectors/discord/ingress");
    expect(described).toContain("POST /connect/discord");

    const docs = await fetch(`${url}/docs`);
    const html = await docs.text();
    expect(docs.headers.get("content-security-policy")).toContain("style-src 'sha256-");
    for (const path of Object.keys(document.paths)) expect(html).toContain(path);
    expect(html).not.toMatch(/<script|https?:\/\//);
  });
});

/** A body without Content-Length. */
function chunked(url: string, bytes: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: "POST" }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.write(Buffer.alloc(bytes - 1));
    request.end(Buffer.alloc(1));
  });
}
