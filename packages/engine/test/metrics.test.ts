import { expect, it } from "vitest";
import { createApp, createRouter, type MetricsOptions } from "../src/index.js";
import { describeEmbedded, discordConnector, listen, openWorld } from "./support/world.js";

describeEmbedded("operation over HTTP", (databases) => {
  async function open(metrics?: MetricsOptions) {
    const route = { rateLimited: true, maxBodyBytes: 1024, summary: "A page" };
    const world = await openWorld(databases, {
      connectors: [
        discordConnector({
          routes: [{ ...route, method: "GET", path: "/page", handle: async () => new Response("page") }],
        }),
      ],
    });
    const app = createApp(world.engine, {
      routes: [createRouter().get("/v1/tickets/:id", (c) => c.text(c.req.param("id")))],
      ...(metrics ? { metrics } : {}),
    });
    const url = await listen(app);
    const keyWith = async (scope: "read" | "admin") => {
      const { key } = await world.engine.apiKeys.create({ tenantId: "acme", name: scope, scopes: [scope] });
      return { authorization: `Bearer ${key}` };
    };
    return { ...world, url, keyWith };
  }

  it("shows metrics to API keys with the scope admin, and to nobody else", async () => {
    const { url, keyWith } = await open();
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/metrics`, { headers: await keyWith("read") })).status).toBe(403);
    const shown = await fetch(`${url}/metrics`, { headers: await keyWith("admin") });
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await shown.text()).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  it("counts requests by route and not by path, whatever is asked for", async () => {
    const gauges = [{ name: "hookline_test_waiting", help: "What waits.", collect: async () => 7 }];
    const { url } = await open({ open: true, gauges });
    const connectorPath = "/v1/connectors/discord/page";
    for (const path of ["/v1/tickets/1", "/v1/tickets/2", connectorPath, "/guess/1", "/guess/2"])
      await fetch(url + path);
    await fetch(`${url}/automation/src_1/orders`, { method: "POST", body: "{}" });
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('_count{method="GET",route="/v1/tickets/:id",status="200"} 2');
    expect(text).toContain(`_count{method="GET",route="${connectorPath}",status="200"} 1`);
    expect(text).toContain('_count{method="POST",route="/automation/:id/:endpoint",status="404"} 1');
    expect(text).toContain('_count{method="GET",route="none",status="404"} 2');
    expect(text).not.toContain("guess");
    expect(text).toMatch(/^hookline_test_waiting 7$/m);
  });

  it("keeps the numbers of two apps of one process apart", async () => {
    const [one, other] = [await open({ open: true }), await open({ open: true })];
    await fetch(`${one.url}/v1/tickets/1`);
    expect(await (await fetch(`${other.url}/metrics`)).text()).not.toContain("/v1/tickets");
  });

  it("lets no page of another origin read or send anything", async () => {
    const { url, keyWith } = await open();
    const origin = { origin: "https://evil.example.com" };
    const preflight = await fetch(`${url}/v1/contacts`, {
      method: "OPTIONS",
      headers: { ...origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" },
    });
    expect(preflight.status).toBe(401);
    const headers = { ...origin, ...(await keyWith("read")) };
    for (const answer of [
      preflight,
      await fetch(`${url}/v1/contacts`, { headers }),
      await fetch(`${url}/health`, { headers: origin }),
    ]) {
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
      expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    }
  });

  it("H7 tells the limit, what is left and when to come again in the standard headers, 60 a minute", async () => {
    const { url } = await open();
    const page = () => fetch(`${url}/v1/connectors/discord/page`);
    const first = await page();
    expect(first.headers.get("ratelimit-policy")).toBe('"connectors";q=60;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"connectors";r=59;t=\d+$/);
    for (let count = 2; count <= 60; count++) expect((await page()).status).toBe(200);
    const refused = await page();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(refused.headers.get("ratelimit")).toMatch(/^"connectors";r=0;t=\d+$/);
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

describeEmbedded("access over HTTP", (databases) => {
  it("H10 makes, lists, rotates and revokes API keys for a key with the scope admin, and tells who did it", async () => {
    const { engine } = await openWorld(databases);
    const url = await listen(createApp(engine));
    const admin = await engine.apiKeys.create({ tenantId: "acme", name: "admin", scopes: ["admin"] });
    const call = (
      ...[method, path, body, key = admin.key]: [method: string, path: string, body?: unknown, key?: string]
    ) =>
      fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const made = await call("POST", "/v1/api-keys", { name: "CI", scopes: ["read"] });
    expect(made.status).toBe(201);
    const key = (await made.json()) as { id: string; key: string };
    for (const [method, path] of [
      ["GET", "/v1/api-keys"],
      ["POST", "/v1/api-keys"],
      ["POST", `/v1/api-keys/${admin.id}/rotate`],
      ["DELETE", `/v1/api-keys/${admin.id}`],
      ["GET", "/v1/audit"],
      ["GET", "/v1/contacts/con_1/export"],
      ["DELETE", "/v1/contacts/con_1"],
    ] as const) {
      expect((await call(method, path, method === "POST" ? { name: "x" } : undefined, key.key)).status).toBe(403);
    }
    const rotated = await call("POST", `/v1/api-keys/${key.id}/rotate`, { overlapSeconds: 0 });
    expect(rotated.status).toBe(201);
    const next = (await rotated.json()) as { id: string; key: string };
    expect((await call("GET", "/v1/contacts", undefined, key.key)).status).toBe(401);
    expect((await call("GET", "/v1/contacts", undefined, next.key)).status).toBe(200);
    expect((await call("DELETE", `/v1/api-keys/${next.id}`)).status).toBe(204);
    expect((await call("GET", "/v1/contacts", undefined, next.key)).status).toBe(401);

    const listed = await (await call("GET", "/v1/api-keys")).text();
    expect(JSON.parse(listed).apiKeys).toHaveLength(3);
    expect(listed).not.toContain(next.key);
    const { entries } = (await (await call("GET", `/v1/audit?target=${next.id}`)).json()) as {
      entries: { action: string; actor: string }[];
    };
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual([
      ["api_key.revoked", `api_key:${admin.id}`],
      ["api_key.created", `api_key:${admin.id}`],
    ]);
  });

  it("refuses what makes no sense, field by field", async () => {
    const { engine } = await openWorld(databases);
    const app = createApp(engine);
    const { key } = await engine.apiKeys.create({ tenantId: "acme", name: "admin", scopes: ["admin"] });
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const post = (path: string, body: string) => app.request(path, { method: "POST", headers, body });
    for (const [body, pointer] of [
      [{}, "/body/name"],
      [{ name: "" }, "/body/name"],
      [{ name: "x", scopes: ["root"] }, "/body/scopes/0"],
      [{ name: "x", expiresAt: "tomorrow" }, "/body/expiresAt"],
      [{ name: "x", extra: 1 }, "/body"],
    ] as const) {
      const answer = await post("/v1/api-keys", JSON.stringify(body));
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "validation_failed", errors: [{ pointer }] });
    }
    const past = await post("/v1/api-keys", JSON.stringify({ name: "x", expiresAt: "2020-01-01T00:00:00Z" }));
    expect(past.status).toBe(400);
    expect(await past.json()).toMatchObject({ code: "invalid_api_key" });
    expect((await post("/v1/api-keys/key_none/rotate", "{}")).status).toBe(404);
    expect((await app.request("/v1/api-keys/key_none", { method: "DELETE", headers })).status).toBe(404);
    expect((await app.request("/v1/audit?cursor=%25", { headers })).status).toBe(400);
  });
});
