import { expect, it } from "vitest";
import { bearerOnly, openSources, orders, SECRET, signed } from "./support/sources.js";
import { TENANT, TICKET_SOURCE } from "./support/stored-sources.js";
import { describeMatrix, fixedClock, tableText } from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

describeMatrix("requests for paths of sources that are none for a source", (databases) => {
  async function open() {
    const clock = fixedClock();
    const world = await openSources(databases, [orders(), bearerOnly()], { clock, app: { trustProxy: 1 } });
    const source = await world.engine.sources.create(TICKET_SOURCE);
    // Records are told apart by their time.
    const post: typeof world.post = (...request) => {
      clock.advance(1);
      return world.post(...request);
    };
    const ask = async (
      method: string,
      path: string,
      { from = "203.0.113.7", ...headers }: Record<string, string> = {},
    ) => {
      clock.advance(1);
      const response = await fetch(world.url + path, { method, headers: { "x-forwarded-for": from, ...headers } });
      const code = method === "HEAD" ? null : ((await response.json()) as Json).code;
      return { status: response.status, allow: response.headers.get("allow"), code };
    };
    const recorded = async () =>
      (await world.engine.sources.refusals({ limit: 200 })).refusals.map(({ tenantId, sourceId, reason, path }) => ({
        tenantId,
        sourceId,
        reason,
        path,
      }));
    return { ...world, clock, source, ask, post, recorded };
  }

  it("E13 records an endpoint that is not there: of the source's tenant where its id is known, else of nobody", async () => {
    const { ask, recorded, source, engine } = await open();
    const unknown = { status: 404, code: "source_not_found" };
    expect(await ask("POST", `/automation/${source.id}/discord-tickets?token=hush`)).toMatchObject(unknown);
    expect(await ask("PUT", "/automation/src_0123456789/discord-ticket")).toMatchObject(unknown);
    expect(await ask("POST", "/automation/%00/discord-ticket")).toMatchObject(unknown);
    expect(await ask("POST", `/automation/src_1/${"x".repeat(1_000)}`)).toMatchObject(unknown);
    const nobody = { tenantId: null, sourceId: null, reason: "unknown_endpoint" };
    expect(await recorded()).toEqual([
      { ...nobody, path: `/automation/src_1/${"x".repeat(182)}` },
      { ...nobody, path: "/automation/%00/discord-ticket" },
      { ...nobody, path: "/automation/src_0123456789/discord-ticket" },
      {
        tenantId: TENANT,
        sourceId: source.id,
        reason: "unknown_endpoint",
        path: `/automation/${source.id}/discord-tickets`,
      },
    ]);
    const of = async (query: { tenantId: string; unclaimed?: boolean }) =>
      (await engine.sources.refusals(query)).refusals.length;
    expect([await of({ tenantId: TENANT }), await of({ tenantId: TENANT, unclaimed: true })]).toEqual([1, 4]);
    expect(await of({ tenantId: "globex" })).toBe(0);
  });

  it("E13 records a method that a source does not take, whatever the method", async () => {
    const { ask, recorded, source } = await open();
    expect(await ask("PUT", source.path)).toEqual({ status: 405, code: "method_not_allowed", allow: "POST" });
    for (const method of ["GET", "DELETE", "OPTIONS", "HEAD"])
      expect((await ask(method, source.path)).status).toBe(405);
    for (const method of ["GET", "PATCH"]) {
      expect(await ask(method, "/hooks/orders")).toMatchObject({ status: 405, allow: "POST" });
    }
    expect((await ask("GET", "/automation/src_1/discord-ticket")).status).toBe(405);
    const reason = "method_not_allowed";
    const stored = { tenantId: TENANT, sourceId: source.id, reason, path: source.path };
    expect(await recorded()).toEqual([
      { tenantId: null, sourceId: null, reason, path: "/automation/src_1/discord-ticket" },
      ...Array(2).fill({ tenantId: "acme", sourceId: "orders", reason, path: "/hooks/orders" }),
      ...Array(5).fill(stored),
    ]);
  });

  it("E13 records nothing of paths that are no source's, and nothing twice", async () => {
    const { ask, post, recorded, source, engine } = await open();
    for (const path of ["/hooks/other", "/hooks/orders/more", "/automation", "/automation/src_1", "/nothing"]) {
      expect((await ask("POST", path)).status).toBe(404);
    }
    expect((await post("/hooks/orders", "{}", {})).status).toBe(401);
    await engine.sources.deactivate({ tenantId: TENANT, id: source.id });
    expect((await ask("POST", source.path)).status).toBe(404);
    expect((await recorded()).map(({ reason, path }) => [reason, path])).toEqual([
      ["inactive", null],
      ["missing_header", null],
    ]);
  });

  it("E13 a scanner fills nothing: ten a minute and address are recorded, a hundred in all, and sources go on", async () => {
    const { ask, post, recorded, clock } = await open();
    for (let nth = 0; nth < 15; nth++) await ask("POST", `/automation/src_${nth}/x`);
    expect(await recorded()).toHaveLength(10);
    for (let nth = 0; nth < 15; nth++) {
      for (let tries = 0; tries < 10; tries++) await ask("DELETE", "/hooks/orders", { from: `198.51.100.${nth}` });
    }
    expect(await recorded()).toHaveLength(100);
    const body = "{}";
    expect((await post("/hooks/orders", body, signed(body, { secret: SECRET, ageSeconds: 900 }))).status).toBe(401);
    expect((await recorded())[0]).toMatchObject({ reason: "timestamp_too_old" });
    clock.advance(60_000);
    await ask("POST", "/automation/src_1/x");
    expect((await recorded())[0]).toMatchObject({ reason: "unknown_endpoint" });
  });

  it("E13 shows what is nobody's to keys that may make tenants, and keeps no secret of such a request", async () => {
    const world = await open();
    const { ask, engine, url, source } = world;
    const secrets = { authorization: `Bearer ${source.bearerToken}`, "x-erxes-signature": "sha256=0badc0de" };
    await ask("POST", `/automation/src_1/discord-ticket?key=${source.secret}`, secrets);
    const list = async (scopes: readonly ("read" | "admin" | "tenants")[]) => {
      const { key } = await engine.apiKeys.create({ tenantId: TENANT, name: scopes.join(), scopes });
      const response = await fetch(`${url}/v1/source-refusals`, { headers: { authorization: `Bearer ${key}` } });
      return ((await response.json()) as Json).refusals;
    };
    expect(await list(["read", "admin"])).toEqual([]);
    expect(await list(["read", "admin", "tenants"])).toEqual([
      {
        id: expect.stringMatching(/^ref_/),
        tenantId: null,
        sourceId: null,
        reason: "unknown_endpoint",
        address: "203.0.113.7",
        path: "/automation/src_1/discord-ticket",
        refusedAt: expect.stringMatching(/Z$/),
      },
    ]);
    const kept = (await tableText(world, "source_refusals")) + world.logged();
    for (const secret of [source.bearerToken, source.secret, "0badc0de"]) expect(kept).not.toContain(secret);
  });
});
