import { randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";
import { createEngine, getDerivedCredential, saveDerivedCredential } from "../src/index.js";
import { describeMatrix, ENCRYPTION_KEY, fixedClock, openWorld, tableText } from "./support/world.js";

describeMatrix("access", (databases) => {
  describe("API keys", () => {
    it("open the door until they are revoked, and are stored as a hash only", async () => {
      const world = await openWorld(databases);
      const { engine } = world;
      const created = await engine.apiKeys.create({ tenantId: "acme", name: "CI" });
      expect(created.key).toMatch(/^hk_[\w-]{43}$/);
      expect(created.key.startsWith(created.prefix)).toBe(true);
      expect(await tableText(world, "api_keys")).not.toContain(created.key);

      const request = (authorization?: string) =>
        engine.authenticate(new Request("http://x/", authorization ? { headers: { authorization } } : {}));
      expect(await request(`Bearer ${created.key}`)).toEqual({
        tenantId: "acme",
        apiKeyId: created.id,
        scopes: ["read", "write"],
      });
      for (const wrong of [
        undefined,
        "",
        "Bearer",
        `Basic ${created.key}`,
        `Bearer ${created.key}x`,
        `Bearer ${"x".repeat(9999)}`,
      ]) {
        expect(await request(wrong)).toBeNull();
      }
      expect(await engine.apiKeys.revoke({ tenantId: "globex", id: created.id })).toBe(false);
      expect(await request(`Bearer ${created.key}`)).not.toBeNull();
      expect(await engine.apiKeys.revoke({ tenantId: "acme", id: created.id })).toBe(true);
      expect(await request(`Bearer ${created.key}`)).toBeNull();
    });

    it("given by configuration are made once, however often and by however many processes", async () => {
      const { engine } = await openWorld(databases);
      const key = randomBytes(24).toString("hex");
      const given = { tenantId: "acme", name: "from .env", key };
      const made = await Promise.all(Array.from({ length: 5 }, () => engine.apiKeys.ensure(given)));
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      const changed = await engine.apiKeys.ensure({ ...given, name: "renamed", scopes: ["read"] });
      expect(changed).toMatchObject({ id: made[0]?.id, name: "renamed", scopes: ["read"] });
      expect((await engine.apiKeys.authenticate(key))?.scopes).toEqual(["read"]);

      await expect(engine.apiKeys.ensure({ ...given, key: "short" })).rejects.toMatchObject({
        code: "invalid_api_key",
      });
      await expect(engine.apiKeys.ensure({ ...given, tenantId: "globex" })).rejects.toMatchObject({
        code: "invalid_api_key",
      });
      expect((await engine.apiKeys.authenticate(key))?.tenantId).toBe("acme");
      await engine.apiKeys.revoke({ tenantId: "acme", id: changed.id });
      await expect(engine.apiKeys.ensure(given)).rejects.toMatchObject({ code: "api_key_revoked" });
    });

    it("given by configuration end when another one takes their name, and only those", async () => {
      const { engine } = await openWorld(databases);
      const [first, second] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
      const other = await engine.apiKeys.create({ tenantId: "acme", name: "CI" });
      await engine.apiKeys.ensure({ tenantId: "globex", name: "environment", key: randomBytes(24).toString("hex") });
      await engine.apiKeys.ensure({ tenantId: "acme", name: "environment", key: first });
      await engine.apiKeys.ensure({ tenantId: "acme", name: "environment", key: second });
      expect(await engine.apiKeys.authenticate(first)).toBeNull();
      expect(await engine.apiKeys.authenticate(second)).not.toBeNull();
      expect(await engine.apiKeys.authenticate(other.key)).not.toBeNull();
    });

    it("know when they were last used, to the minute", async () => {
      const clock = fixedClock();
      const { engine } = await openWorld(databases, { clock });
      const { key, ...created } = await engine.apiKeys.create({ tenantId: "acme", name: "CI" });
      expect(created.lastUsedAt).toBeNull();
      const firstUse = new Date(clock.now()).toISOString();
      await engine.apiKeys.authenticate(key);
      clock.advance(30_000);
      await engine.apiKeys.authenticate(key);
      expect((await engine.apiKeys.ensure({ tenantId: "acme", name: "CI", key })).lastUsedAt).toBe(firstUse);
      clock.advance(30_000);
      await engine.apiKeys.authenticate(key);
      expect((await engine.apiKeys.ensure({ tenantId: "acme", name: "CI", key })).lastUsedAt).toBe(
        new Date(clock.now()).toISOString(),
      );
    });
  });

  describe("acceptOnce", () => {
    it("H5 accepts a key once within its time, for one of many at once, and again afterwards", async () => {
      const clock = fixedClock();
      const world = await openWorld(databases, { clock });
      const { engine } = world;
      const answers = await Promise.all(Array.from({ length: 10 }, () => engine.acceptOnce("interaction:1", 600)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await engine.acceptOnce("interaction:2", 600)).toBe(true);
      clock.advance(599_999);
      expect(await engine.acceptOnce("interaction:1", 600)).toBe(false);
      clock.advance(1);
      expect(await engine.acceptOnce("interaction:1", 600)).toBe(true);
      expect(await tableText(world, "accepted_keys")).not.toContain("interaction");
    });

    it("keeps nothing that has run out", async () => {
      const clock = fixedClock();
      const { engine, database, schema } = await openWorld(databases, { clock });
      for (let index = 0; index < 5; index++) await engine.acceptOnce(`key-${index}`, 60);
      clock.advance(120_000);
      await engine.acceptOnce("later", 60);
      const [row] = await database.query<{ n: number }>(`select count(*) as n from "${schema}".accepted_keys`);
      expect(row?.n).toBe(1);
    });
  });

  describe("derived credentials", () => {
    it("H10 are encrypted, merge at the top level, and lose a key by null only", async () => {
      const world = await openWorld(databases);
      const { engine } = world;
      const key = { providerId: "discord" };
      expect(await getDerivedCredential(engine.credentials, key)).toBeNull();
      await saveDerivedCredential(engine.credentials, key, {
        guildId: "1",
        webhook: { url: "https://secret", id: "9" },
      });
      await saveDerivedCredential(engine.credentials, key, { botUserId: "2", guildId: undefined });
      expect(
        await saveDerivedCredential(engine.credentials, key, { webhook: { url: "https://other" }, botUserId: null }),
      ).toEqual({
        guildId: "1",
        webhook: { url: "https://other" },
      });
      expect(await getDerivedCredential(engine.credentials, key)).toEqual({
        guildId: "1",
        webhook: { url: "https://other" },
      });
      expect(await getDerivedCredential(engine.credentials, { ...key, tenantId: "globex" })).toBeNull();
      expect(await tableText(world, "derived_credentials")).not.toMatch(/secret|other|guildId/);
    });

    it("H10 lose no patch when several come at once", async () => {
      const { engine } = await openWorld(databases);
      const names = Array.from({ length: 8 }, (_, index) => `key${index}`);
      await Promise.all(
        names.map((name) => saveDerivedCredential(engine.credentials, { providerId: "discord" }, { [name]: 1 })),
      );
      const stored = await getDerivedCredential(engine.credentials, { providerId: "discord" });
      expect(Object.keys(stored ?? {}).sort()).toEqual(names);
    });

    it("H10 stay readable after a key was added in front, and say so when theirs is gone", async () => {
      const { engine, database, schema, dispatcher } = await openWorld(databases);
      await saveDerivedCredential(engine.credentials, { providerId: "discord" }, { guildId: "1" });
      const withKeys = (encryptionKey: string[]) =>
        createEngine({ database, schema, outbox: dispatcher, eventLog: dispatcher.events, encryptionKey }).credentials;
      const newKey = randomBytes(32).toString("base64");
      expect(await getDerivedCredential(withKeys([newKey, ENCRYPTION_KEY]), { providerId: "discord" })).toEqual({
        guildId: "1",
      });
      await expect(getDerivedCredential(withKeys([newKey]), { providerId: "discord" })).rejects.toMatchObject({
        code: "credential_unreadable",
      });
    });
  });
});
