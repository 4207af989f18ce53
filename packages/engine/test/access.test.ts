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

  describe("API keys that end", () => {
    it("expire at their time, and not before", async () => {
      const clock = fixedClock();
      const { engine } = await openWorld(databases, { clock });
      const expiresAt = new Date(clock.now() + 60_000);
      const { key, ...made } = await engine.apiKeys.create({ tenantId: "acme", name: "CI", expiresAt });
      expect(made.expiresAt).toBe(expiresAt.toISOString());
      clock.advance(59_999);
      expect(await engine.apiKeys.authenticate(key)).not.toBeNull();
      clock.advance(1);
      expect(await engine.apiKeys.authenticate(key)).toBeNull();
    });

    it("E14 are rotated without a gap: old and new work side by side until the overlap ends", async () => {
      const clock = fixedClock();
      const { engine } = await openWorld(databases, { clock });
      const old = await engine.apiKeys.create({ tenantId: "acme", name: "CI", scopes: ["read"] });
      const reference = { tenantId: "acme", id: old.id };
      expect(await engine.apiKeys.rotate({ ...reference, tenantId: "globex" })).toBeNull();
      const next = await engine.apiKeys.rotate(reference);
      expect(next).toMatchObject({ name: "CI", scopes: ["read"], expiresAt: null });
      const works = async (key = "") => (await engine.apiKeys.authenticate(key)) !== null;
      clock.advance(24 * 3600 * 1000 - 1);
      expect([await works(old.key), await works(next?.key)]).toEqual([true, true]);
      clock.advance(1);
      expect([await works(old.key), await works(next?.key)]).toEqual([false, true]);
      expect(await engine.apiKeys.rotate(reference)).toBeNull();
      const last = await engine.apiKeys.rotate({ tenantId: "acme", id: next?.id ?? "", overlapSeconds: 0 });
      expect([await works(next?.key), await works(last?.key)]).toEqual([false, true]);
      expect((await engine.apiKeys.list({ tenantId: "acme" })).map(({ id }) => id).sort()).toEqual(
        [old.id, next?.id, last?.id].sort(),
      );
      await expect(
        engine.apiKeys.rotate({ tenantId: "acme", id: last?.id ?? "", overlapSeconds: -1 }),
      ).rejects.toMatchObject({ code: "invalid_api_key" });
    });

    it("refuse a name, scopes or an expiry that make no sense", async () => {
      const { engine } = await openWorld(databases);
      const given = { tenantId: "acme", name: "CI" };
      for (const bad of [
        { name: "" },
        { name: "a\nb" },
        { name: "x".repeat(101) },
        { scopes: [] },
        { scopes: ["root"] },
        { expiresAt: new Date(Date.now() - 1) },
        { expiresAt: new Date(Number.NaN) },
      ]) {
        await expect(engine.apiKeys.create({ ...given, ...bad } as never)).rejects.toMatchObject({
          code: "invalid_api_key",
        });
      }
      expect(await engine.apiKeys.list({ tenantId: "acme" })).toEqual([]);
    });
  });

  describe("the audit log", () => {
    it("has who did what, newest first, page by page, and holds no key", async () => {
      const world = await openWorld(databases);
      const { engine } = world;
      const made = await engine.apiKeys.create({ tenantId: "acme", name: "CI", actor: "user:jo" });
      const next = await engine.apiKeys.rotate({ tenantId: "acme", id: made.id, actor: "user:al" });
      await engine.apiKeys.revoke({ tenantId: "acme", id: made.id });
      await engine.apiKeys.revoke({ tenantId: "acme", id: made.id });
      await saveDerivedCredential(
        engine.credentials,
        { providerId: "discord", tenantId: "acme" },
        { botToken: "s3cret" },
      );
      const { entries } = await engine.audit.list({ tenantId: "acme" });
      expect(entries.map(({ action, actor, target }) => [action, actor, target]).sort()).toEqual(
        [
          ["api_key.created", "user:jo", made.id],
          ["api_key.rotated", "user:al", made.id],
          ["api_key.created", "user:al", next?.id],
          ["api_key.revoked", "system", made.id],
          ["credential.saved", "system", "discord"],
        ].sort(),
      );
      const text = await tableText(world, "audit_log");
      for (const secret of [made.key, next?.key ?? "", "s3cret"]) expect(text).not.toContain(secret);
      expect(text).toContain("botToken");

      const first = await engine.audit.list({ tenantId: "acme", limit: 2 });
      const second = await engine.audit.list({ tenantId: "acme", limit: 4, cursor: first.nextCursor ?? "" });
      expect([...first.entries, ...second.entries]).toEqual(entries);
      expect(second.nextCursor).toBeNull();
      const revoked = await engine.audit.list({ tenantId: "acme", action: "api_key.revoked", target: made.id });
      expect(revoked.entries).toHaveLength(1);
      expect((await engine.audit.list({ tenantId: "globex" })).entries).toEqual([]);
      await expect(engine.audit.list({ tenantId: "acme", cursor: "%" })).rejects.toMatchObject({
        code: "invalid_cursor",
      });
    });

    it("has an entry exactly when the act was committed", async () => {
      const { engine, database } = await openWorld(databases);
      const act = { tenantId: "acme", action: "ticket.deleted", actor: "user:jo", target: "7" };
      await expect(
        database.transaction(async (transaction) => {
          await engine.audit.record(act, { transaction });
          throw new Error("rolled back");
        }),
      ).rejects.toThrow("rolled back");
      expect((await engine.audit.list({ tenantId: "acme" })).entries).toEqual([]);
      await database.transaction((transaction) => engine.audit.record(act, { transaction }));
      expect((await engine.audit.list({ tenantId: "acme" })).entries).toEqual([expect.objectContaining(act)]);
    });
  });

  describe("acceptOnce", () => {
    it.each([{ asyncCommit: false }, { asyncCommit: true }])(
      "H5 accepts a key once within its time, for one of many at once, and again afterwards (%o)",
      async (options) => {
        const clock = fixedClock();
        const world = await openWorld(databases, { clock });
        const accept = (key: string) => world.engine.acceptOnce(key, 600, options);
        const answers = await Promise.all(Array.from({ length: 10 }, () => accept("interaction:1")));
        expect(answers.filter(Boolean)).toHaveLength(1);
        expect(await accept("interaction:2")).toBe(true);
        clock.advance(599_999);
        expect(await accept("interaction:1")).toBe(false);
        clock.advance(1);
        expect(await accept("interaction:1")).toBe(true);
        expect(await tableText(world, "accepted_keys")).not.toContain("interaction");
        expect(await world.database.query("show synchronous_commit")).toEqual([{ synchronous_commit: "on" }]);
      },
    );

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

    it("H10 are written anew with the newest key while patches come in, and then need the old one no more", async () => {
      const { engine, database, schema, dispatcher } = await openWorld(databases);
      const open = (encryptionKey: string[]) =>
        createEngine({ database, schema, outbox: dispatcher, eventLog: dispatcher.events, encryptionKey });
      const tenants = Array.from({ length: 130 }, (_, index) => `tenant-${index}`);
      const key = (tenantId: string) => ({ providerId: "discord", tenantId });
      for (const tenantId of tenants) {
        await saveDerivedCredential(engine.credentials, key(tenantId), { guildId: tenantId });
      }
      const newKey = randomBytes(32).toString("base64");
      const rotating = open([newKey, ENCRYPTION_KEY]);
      const [outcome] = await Promise.all([
        rotating.credentials.reencrypt({ actor: "user:jo" }),
        ...tenants
          .slice(0, 10)
          .map((tenantId) => saveDerivedCredential(rotating.credentials, key(tenantId), { more: 1 })),
      ]);
      expect(outcome.unreadable).toBe(0);
      expect(outcome.reencrypted).toBeGreaterThanOrEqual(120);
      const rotated = open([newKey]);
      for (const [index, tenantId] of tenants.entries()) {
        expect(await getDerivedCredential(rotated.credentials, key(tenantId))).toEqual({
          guildId: tenantId,
          ...(index < 10 ? { more: 1 } : {}),
        });
      }
      expect(await rotating.credentials.reencrypt()).toEqual({ reencrypted: 0, unreadable: 0 });
      const { entries } = await rotating.audit.list({ tenantId: "tenant-50", action: "credential.reencrypted" });
      expect(entries).toEqual([expect.objectContaining({ actor: "user:jo", target: "discord" })]);
      // Without its key, what is stored is left as it is.
      expect(await open([randomBytes(32).toString("base64")]).credentials.reencrypt()).toEqual({
        reencrypted: 0,
        unreadable: 130,
      });
      expect(await getDerivedCredential(rotated.credentials, key("tenant-0"))).toMatchObject({ guildId: "tenant-0" });
    });
  });

  describe("rotation notices", () => {
    const DAY_MS = 24 * 3600 * 1000;

    it("E14 tell each secret that is 90 days old once, as an event, and again 90 days after its rotation", async () => {
      const clock = fixedClock();
      const { engine, dispatcher } = await openWorld(databases, { clock });
      const key = await engine.apiKeys.create({ tenantId: "acme", name: "CI" });
      const revoked = await engine.apiKeys.create({ tenantId: "acme", name: "old" });
      await engine.apiKeys.revoke({ tenantId: "acme", id: revoked.id });
      await saveDerivedCredential(engine.credentials, { providerId: "discord", tenantId: "acme" }, { a: 1 });
      const endpoint = { tenantId: "acme", kind: "endpoint_secret", id: "ep_1", since: new Date(clock.now()) };
      const told = async () =>
        (await engine.notices.publishRotationDue({ further: [endpoint] }))
          .map(({ kind, id }) => `${kind} ${id}`)
          .sort();

      clock.advance(90 * DAY_MS - 1);
      expect(await engine.notices.rotationDue()).toEqual([]);
      expect(await told()).toEqual([]);
      clock.advance(1);
      expect(await engine.notices.rotationDue({ tenantId: "globex" })).toEqual([]);
      const all = await Promise.all([told(), told(), told()]);
      expect(all.flat().sort()).toEqual([`api_key ${key.id}`, "credential discord", "endpoint_secret ep_1"]);
      expect(await told()).toEqual([]);
      const { events } = await dispatcher.events.list({ tenantId: "acme", type: "secret.rotation_due" });
      expect(events).toHaveLength(3);

      const next = await engine.apiKeys.rotate({ tenantId: "acme", id: key.id, overlapSeconds: 0 });
      await saveDerivedCredential(engine.credentials, { providerId: "discord", tenantId: "acme" }, { a: 2 });
      clock.advance(89 * DAY_MS);
      expect(await told()).toEqual([]);
      clock.advance(DAY_MS);
      expect(await told()).toEqual([`api_key ${next?.id}`, "credential discord"]);
    });

    it("E14 an app may want it sooner, but not at once", async () => {
      const { database, schema, dispatcher } = await openWorld(databases);
      const open = (secretMaxAgeDays: number) =>
        createEngine({
          database,
          schema,
          outbox: dispatcher,
          eventLog: dispatcher.events,
          encryptionKey: ENCRYPTION_KEY,
          secretMaxAgeDays,
        });
      expect(() => open(0)).toThrowError(expect.objectContaining({ code: "invalid_options" }));
      await open(30).apiKeys.create({ tenantId: "acme", name: "CI" });
      expect(await open(30).notices.rotationDue()).toEqual([]);
    });
  });
});
