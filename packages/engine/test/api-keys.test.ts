import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { type ApiKeyScope, createApp } from "../src/index.js";
import { grantedUntil } from "../src/storage/migrations/0018-granted-until.js";
import { describeEmbedded, fixedClock, openWorld } from "./support/world.js";

const DAY_MS = 24 * 3600 * 1000;

describeEmbedded("API keys that are rotated", (databases) => {
  it("E14 hand their expiry on: a key for a time has no successor for ever", async () => {
    const clock = fixedClock();
    const { engine } = await openWorld(databases, { clock });
    const expiresAt = new Date(clock.now() + 7 * DAY_MS);
    const old = await engine.apiKeys.create({ tenantId: "acme", name: "contractor", expiresAt });
    const next = await engine.apiKeys.rotate({ tenantId: "acme", id: old.id });
    expect(next?.expiresAt).toBe(expiresAt.toISOString());
    const keys = await engine.apiKeys.list({ tenantId: "acme" });
    expect(keys.find(({ id }) => id === old.id)?.expiresAt).toBe(new Date(clock.now() + DAY_MS).toISOString());
    // Where the first answer was lost: the overlap's end is no expiry to hand on.
    expect(await engine.apiKeys.rotate({ tenantId: "acme", id: old.id })).toMatchObject({ expiresAt: next?.expiresAt });
    clock.advance(7 * DAY_MS);
    expect(await engine.apiKeys.authenticate(next?.key ?? "")).toBeNull();
  });

  it("E14 leave their successor alone when they are still configured, and are refused once they have ended", async () => {
    const clock = fixedClock();
    const world = await openWorld(databases, { clock });
    const { apiKeys } = world.engine;
    const configured = { tenantId: "acme", name: "environment", key: randomBytes(24).toString("hex") };
    const works = async (key: string) => (await apiKeys.authenticate(key)) !== null;
    const { id } = await apiKeys.ensure(configured);
    const next = await apiKeys.rotate({ tenantId: "acme", id });
    if (!next) throw new Error("not rotated");

    await apiKeys.ensure(configured);
    expect([await works(configured.key), await works(next.key)]).toEqual([true, true]);
    expect(world.logged()).toContain("configure its successor");

    clock.advance(DAY_MS);
    await expect(apiKeys.ensure(configured)).rejects.toMatchObject({
      code: "api_key_expired",
      message: expect.stringContaining("Configure its successor"),
    });
    expect(await works(next.key)).toBe(true);
    expect(await apiKeys.ensure({ ...configured, key: next.key })).toMatchObject({ id: next.id, expiresAt: null });
    expect(await works(next.key)).toBe(true);
  });

  it("E14 leave their successor alone, too, when they were rotated before their own time was kept apart", async () => {
    const clock = fixedClock();
    const { engine, database, schema } = await openWorld(databases, { clock });
    const { apiKeys } = engine;
    const configured = { tenantId: "acme", name: "environment", key: randomBytes(24).toString("hex") };
    const { id } = await apiKeys.ensure(configured);
    const next = await apiKeys.rotate({ tenantId: "acme", id });
    if (!next) throw new Error("not rotated");
    const expiresAt = new Date(clock.now() + 7 * DAY_MS);
    const contractor = await apiKeys.create({ tenantId: "acme", name: "contractor", expiresAt });

    await database.query(`alter table "${schema}".api_keys drop column granted_until`);
    await database.transaction((transaction) => grantedUntil.up(transaction, schema));

    expect(await apiKeys.ensure(configured)).toMatchObject({ id });
    expect(await apiKeys.authenticate(next.key)).not.toBeNull();
    expect(await apiKeys.rotate({ tenantId: "acme", id: contractor.id })).toMatchObject({
      expiresAt: expiresAt.toISOString(),
    });
  });
});

describeEmbedded("API keys of other tenants", (databases) => {
  it("are made by a key with the scope tenants alone, told in both audit logs, and see their own tenant only", async () => {
    const { engine } = await openWorld(databases);
    const app = createApp(engine);
    const make = async (key: string, body: object) => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const given = JSON.stringify({ name: "first", ...body });
      const answer = await app.request("/v1/api-keys", { method: "POST", headers, body: given });
      return { status: answer.status, body: (await answer.json()) as { id: string; key: string; tenantId: string } };
    };
    const given = (scopes: readonly ApiKeyScope[]) => engine.apiKeys.create({ tenantId: "acme", name: "own", scopes });
    const admin = await given(["read", "write", "admin"]);
    const owner = await given(["admin", "tenants"]);

    for (const [key, body] of [
      [admin.key, { tenantId: "globex" }],
      [admin.key, { scopes: ["tenants"] }],
      [owner.key, { tenantId: "globex", scopes: ["admin", "tenants"] }],
    ] as const) {
      expect(await make(key, body)).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    }
    expect((await make(owner.key, { tenantId: "a b" })).status).toBe(400);
    const rotate = (key: string) =>
      app.request(`/v1/api-keys/${owner.id}/rotate`, { method: "POST", headers: { authorization: `Bearer ${key}` } });
    expect((await rotate(admin.key)).status).toBe(403);
    expect((await rotate(owner.key)).status).toBe(201);

    const made = await make(owner.key, { tenantId: "globex", scopes: ["read", "admin"] });
    expect(made).toMatchObject({ status: 201, body: { tenantId: "globex" } });
    expect(await engine.apiKeys.authenticate(made.body.key)).toMatchObject({ tenantId: "globex" });
    for (const tenantId of ["acme", "globex"]) {
      const { entries } = await engine.audit.list({ tenantId, target: made.body.id });
      expect(entries).toMatchObject([{ action: "api_key.created", actor: `api_key:${owner.id}` }]);
    }
    expect(await make(made.body.key, { tenantId: "acme" })).toMatchObject({ status: 403 });
    expect(await make(made.body.key, {})).toMatchObject({ status: 201, body: { tenantId: "globex" } });
    expect(await engine.apiKeys.tenants()).toEqual(["acme", "globex"]);
  });
});
