import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createApp, createEngine, isEngineError, type NewStoredSource, type SourceSecrets } from "../src/index.js";
import { callHeaders, type MadeSource, TENANT, TICKET, TICKET_SOURCE } from "./support/stored-sources.js";
import {
  describeMatrix,
  ENCRYPTION_KEY,
  fixedClock,
  listen,
  openWorld,
  tableText,
  type World,
} from "./support/world.js";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
type Json = any;

const DAY_MS = 24 * 60 * 60 * 1000;

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isEngineError(error) ? error.code : String(error)),
  );

describeMatrix("stored sources", (databases) => {
  const open = (clock = fixedClock()) => openWorld(databases, { clock });

  /** Whether a caller gets through with these secrets at the engine's time. */
  async function opens(
    { engine }: Pick<World, "engine">,
    source: MadeSource,
    secrets: SourceSecrets,
  ): Promise<boolean> {
    const found = await engine.parts.sources.stored.find(source);
    const body = JSON.stringify({ ...TICKET, userId: randomBytes(8).toString("hex") });
    const headers = new Headers(callHeaders(secrets, body, { form: "server" }));
    if (found === null || !found.acceptsBearer?.(secrets.bearerToken ?? "")) return false;
    headers.set("x-timestamp", String(engine.parts.store.clock.now()));
    const received = await engine.parts.sources.receive(found, { body: Buffer.from(body), headers });
    return received.kind === "accepted";
  }

  it("E7 E14 are made with secrets that are shown once and stored encrypted with a key's id", async () => {
    const world = await open();
    const made = await world.engine.sources.create({ ...TICKET_SOURCE, actor: "user:jo" });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^src_/),
      path: `/automation/${made.id}/discord-ticket`,
      eventType: "source.discord-ticket",
      active: true,
      method: "POST",
      bearer: true,
      signature: true,
      preventReplay: true,
      allowedAddresses: [],
      bearerToken: expect.stringMatching(/^[\w-]{43}$/),
      secret: expect.stringMatching(/^[\w-]{43}$/),
    });
    const key = { tenantId: TENANT, id: made.id };
    const { bearerToken, secret, ...shown } = made;
    expect(await world.engine.sources.get(key)).toEqual(shown);
    expect((await world.engine.sources.list(key)).sources).toEqual([shown]);
    const [row] = await world.database.query<{ secrets: string }>(`select secrets from "${world.schema}".sources`);
    expect(row?.secrets).toMatch(/^v1\.[0-9a-f]{8}\./);
    const stored = (await tableText(world, "sources")) + (await tableText(world, "audit_log")) + world.logged();
    for (const one of [bearerToken, secret]) expect(stored).not.toContain(one);
    const { entries } = await world.engine.audit.list({ tenantId: TENANT });
    expect(entries).toMatchObject([
      { action: "source.created", actor: "user:jo", target: made.id, details: { endpoint: "discord-ticket" } },
    ]);
  });

  it("take tokens and secrets of one's own", async () => {
    const world = await open();
    const own = { bearerToken: "discord-bot-secret-token-12345", secret: "hmac-secret-key-xyz789" };
    const made = await world.engine.sources.create({ ...TICKET_SOURCE, ...own });
    expect(made).toMatchObject(own);
    expect(await opens(world, made, own)).toBe(true);
    expect(await opens(world, made, { ...own, secret: "hmac-secret-key-xyz780" })).toBe(false);
  });

  it("E8 E7 refuse what is not closed, and what makes no sense", async () => {
    const { engine } = await open();
    const cases: Partial<NewStoredSource>[] = [
      { endpoint: "" },
      { endpoint: "a/b" },
      { endpoint: "x".repeat(65) },
      { bearerToken: null, secret: null },
      { open: true },
      { bearerToken: null, open: true },
      { bearerToken: "short" },
      { bearerToken: "has spaces in the middle" },
      { secret: "short" },
      { secret: "x".repeat(257) },
      { secret: null, preventReplay: true },
      { method: "GET" as never },
      { description: "" },
      { preventReplay: "yes" as never },
      { requestsPerMinute: 0 },
      { requestsPerMinute: 1.5 },
      { maxBodyBytes: 2 * 1024 * 1024 },
      { allowedAddresses: ["10.0.0.0/33"] },
      { allowedAddresses: ["localhost"] },
      { allowedAddresses: Array(201).fill("192.0.2.1") },
      { fields: "userName" as never },
      { fields: [null as never] },
      { fields: [{ name: "a b", type: "string" }] },
      { fields: [{ name: "__proto__", type: "string" }] },
      { fields: [{ name: "a", type: "date" as never }] },
      { fields: [{ name: "a", type: "string", required: 1 as never }] },
      { fields: Array.from({ length: 101 }, (_, at) => ({ name: `f${at}`, type: "string" as const })) },
    ];
    for (const over of cases) {
      expect([over, await codeOf(engine.sources.create({ ...TICKET_SOURCE, ...over }))]).toEqual([
        over,
        "invalid_source",
      ]);
    }
    const twice = [
      { name: "a", type: "string" as const },
      { name: "a", type: "number" as const },
    ];
    await expect(engine.sources.create({ ...TICKET_SOURCE, method: "GET" as never, fields: twice })).rejects.toThrow(
      /method: one of POST, PUT, PATCH; fields\.1\.name: another field has the name "a"/,
    );
    expect((await engine.sources.list({ tenantId: TENANT })).sources).toEqual([]);
    await engine.sources.create(TICKET_SOURCE);
    expect(await codeOf(engine.sources.create(TICKET_SOURCE))).toBe("name_taken");
    await engine.sources.create({ ...TICKET_SOURCE, tenantId: "globex" });
  });

  it("E14 rotate without downtime: old and new secrets fit side by side until the overlap ends", async () => {
    const clock = fixedClock();
    const world = await open(clock);
    const { sources } = world.engine;
    const made = await sources.create(TICKET_SOURCE);
    const key = { tenantId: TENANT, id: made.id };
    clock.advance(1000);
    const next = await sources.rotateSecrets({ ...key, overlapSeconds: 3600 });
    expect(next).toMatchObject({
      rotatedAt: new Date(clock.now()).toISOString(),
      overlapEndsAt: new Date(clock.now() + 3_600_000).toISOString(),
    });
    const work = async (...all: SourceSecrets[]) => Promise.all(all.map((one) => opens(world, made, one)));
    clock.advance(3_599_999);
    expect(await work(made, next, { ...next, bearerToken: made.bearerToken })).toEqual([true, true, true]);
    clock.advance(1);
    expect(await work(made, next)).toEqual([false, true]);

    const own = "a-secret-of-my-own-choice";
    const last = await sources.rotateSecrets({ ...key, secret: own, overlapSeconds: 0 });
    expect(last.secret).toBe(own);
    expect(await work(made, next, last)).toEqual([false, false, true]);
    expect(await codeOf(sources.rotateSecrets({ ...key, secret: own }))).toBe("invalid_source");
    for (let times = 0; times < 4; times++) await sources.rotateSecrets(key);
    expect(await codeOf(sources.rotateSecrets(key))).toBe("too_many_secrets");
    expect(await codeOf(sources.rotateSecrets({ ...key, overlapSeconds: 0 }))).toBeNull();
    for (const wrong of [{ overlapSeconds: -1 }, { overlapSeconds: 31 * 86_400 }, { secret: "short" }]) {
      expect(await codeOf(sources.rotateSecrets({ ...key, ...wrong }))).toBe("invalid_source");
    }
    expect(await codeOf(sources.rotateSecrets({ ...key, tenantId: "globex" }))).toBe("source_not_found");
  });

  it("E14 rotate only what they ask for", async () => {
    const { engine } = await open();
    const made = await engine.sources.create({ ...TICKET_SOURCE, bearerToken: null });
    const key = { tenantId: TENANT, id: made.id };
    const rotated = await engine.sources.rotateSecrets(key);
    expect([rotated.bearerToken, rotated.secret === made.secret]).toEqual([null, false]);
    expect(await codeOf(engine.sources.rotateSecrets({ ...key, bearerToken: "a-token-of-my-own-choice" }))).toBe(
      "invalid_source",
    );
    const opened = { ...TICKET_SOURCE, endpoint: "open", bearerToken: null, secret: null, open: true };
    const { id, rotatedAt } = await engine.sources.create(opened);
    expect(rotatedAt).toBeNull();
    expect(await codeOf(engine.sources.rotateSecrets({ tenantId: TENANT, id }))).toBe("invalid_source");
  });

  it("E14 a notice comes 90 days after the last rotation, once, and only for a source that is active", async () => {
    const clock = fixedClock();
    const { engine, dispatcher } = await open(clock);
    const made = await engine.sources.create(TICKET_SOURCE);
    const idle = await engine.sources.create({ ...TICKET_SOURCE, endpoint: "idle" });
    await engine.sources.deactivate({ tenantId: TENANT, id: idle.id });
    clock.advance(50 * DAY_MS);
    const { rotatedAt } = await engine.sources.rotateSecrets({ tenantId: TENANT, id: made.id });
    clock.advance(90 * DAY_MS - 1);
    expect(await engine.notices.rotationDue()).toEqual([]);
    clock.advance(1);
    const due = { tenantId: TENANT, kind: "source_secret", id: made.id, since: new Date(rotatedAt ?? "") };
    expect(await engine.notices.publishRotationDue()).toEqual([due]);
    expect(await engine.notices.publishRotationDue()).toEqual([]);
    const { events } = await dispatcher.events.list({ tenantId: TENANT, type: "secret.rotation_due" });
    expect(events.map(({ data }) => data)).toEqual([{ kind: "source_secret", id: made.id, since: rotatedAt }]);
  });

  it("E14 are encrypted anew when the encryption key changes, and recover by a rotation when it was lost", async () => {
    const world = await open();
    const made = await world.engine.sources.create(TICKET_SOURCE);
    const newKey = randomBytes(32).toString("base64");
    const with_ = (encryptionKey: readonly string[]) =>
      createEngine({
        database: world.database,
        schema: world.schema,
        outbox: world.dispatcher,
        eventLog: world.dispatcher.events,
        encryptionKey,
      });
    expect(await with_([newKey, ENCRYPTION_KEY]).credentials.reencrypt()).toEqual({ reencrypted: 1, unreadable: 0 });
    expect(await opens({ engine: with_([newKey]) }, made, made)).toBe(true);

    const lost = with_([randomBytes(32).toString("base64")]);
    expect(await codeOf(opens({ engine: lost }, made, made))).toBe("credential_unreadable");
    expect(await lost.credentials.reencrypt()).toEqual({ reencrypted: 0, unreadable: 1 });
    const rotated = await lost.sources.rotateSecrets({ tenantId: TENANT, id: made.id });
    expect(await opens({ engine: lost }, made, rotated)).toBe(true);
    expect(await opens({ engine: lost }, made, made)).toBe(false);
  });

  it("keep rotations and changes that are made at once", async () => {
    const world = await open();
    const { sources } = world.engine;
    const made = await sources.create(TICKET_SOURCE);
    const key = { tenantId: TENANT, id: made.id };
    const [first, second] = await Promise.all([
      sources.rotateSecrets(key),
      sources.rotateSecrets(key),
      sources.update(key, { description: "Tickets" }),
      sources.deactivate(key),
    ]);
    expect(await sources.get(key)).toMatchObject({ description: "Tickets", active: false });
    await sources.activate(key);
    for (const secrets of [made, first, second]) expect(await opens(world, made, secrets)).toBe(true);
  });

  it("E7 E14 are managed over HTTP, behind an API key, each tenant its own", async () => {
    const { engine } = await openWorld(databases);
    const url = await listen(createApp(engine));
    const keyOf = async (tenantId: string, scopes: readonly ("read" | "write")[]) =>
      (await engine.apiKeys.create({ tenantId, name: "test", scopes })).key;
    const callAs = (by: string) => async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}/v1/sources${path}`, {
        method,
        headers: {
          authorization: `Bearer ${by}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as Json };
    };
    const call = callAs(await keyOf(TENANT, ["read", "write"]));
    const { tenantId: _, ...definition } = TICKET_SOURCE;
    const created = await call("POST", "", definition);
    expect(created).toMatchObject({ status: 201, body: { secret: expect.any(String), fields: TICKET_SOURCE.fields } });
    const path = `/${created.body.id}`;
    expect(await call("POST", "", definition)).toMatchObject({ status: 409, body: { code: "name_taken" } });
    const bad = { endpoint: "bad", bearerToken: null, secret: null };
    expect(await call("POST", "", bad)).toMatchObject({ status: 422, body: { code: "invalid_source" } });
    for (const body of [{}, { ...definition, method: "GET" }, { ...definition, tenantId: "globex" }]) {
      expect(await call("POST", "", body)).toMatchObject({ status: 400, body: { code: "validation_failed" } });
    }
    const shown = await call("GET", path);
    expect(shown).toMatchObject({
      status: 200,
      body: { endpoint: "discord-ticket", path: `/automation${path}/discord-ticket` },
    });
    for (const name of ["secret", "bearerToken", "secrets"]) expect(shown.body).not.toHaveProperty(name);

    const change = { description: "From Discord", allowedAddresses: ["203.0.113.0/24"], fields: [] };
    expect(await call("PATCH", path, change)).toMatchObject({ status: 200, body: { ...change, preventReplay: true } });
    expect(await call("PATCH", path, { allowedAddresses: ["*"] })).toMatchObject({ status: 422 });
    expect(await call("PATCH", path, { endpoint: "other" })).toMatchObject({ status: 400 });
    expect(await call("POST", `${path}/deactivate`)).toMatchObject({ status: 200, body: { active: false } });
    expect(await call("POST", `${path}/activate`)).toMatchObject({ status: 200, body: { active: true } });
    const rotated = await call("POST", `${path}/rotate-secrets`, { overlapSeconds: 60 });
    expect(rotated).toMatchObject({
      status: 200,
      body: { bearerToken: expect.any(String), secret: expect.any(String) },
    });
    expect(rotated.body.secret).not.toBe(created.body.secret);
    expect((await call("POST", `${path}/rotate-secrets`)).status).toBe(200);
    expect(await call("POST", `${path}/rotate-secrets`, { overlapSeconds: -1 })).toMatchObject({ status: 400 });

    await call("POST", "", { endpoint: "second" });
    const first = await call("GET", "?limit=1");
    const second = await call("GET", `?limit=1&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    expect([...first.body.sources, ...second.body.sources].map(({ endpoint }: Json) => endpoint)).toEqual([
      "second",
      "discord-ticket",
    ]);
    expect(second.body.nextCursor).toBeNull();

    const stranger = callAs(await keyOf("globex", ["read", "write"]));
    expect((await stranger("GET", "")).body.sources).toEqual([]);
    for (const [method, at] of [
      ["GET", path],
      ["PATCH", path],
      ["DELETE", path],
      ["POST", `${path}/activate`],
      ["POST", `${path}/deactivate`],
      ["POST", `${path}/rotate-secrets`],
    ] as const) {
      const body = method === "PATCH" ? {} : undefined;
      expect(await stranger(method, at, body)).toMatchObject({ status: 404, body: { code: "source_not_found" } });
      expect((await callAs("hk_nobody")(method, at, body)).status).toBe(401);
    }
    const reader = callAs(await keyOf(TENANT, ["read"]));
    expect((await reader("GET", path)).status).toBe(200);
    expect((await reader("DELETE", path)).status).toBe(403);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
    const { entries } = await engine.audit.list({ tenantId: TENANT, target: created.body.id });
    expect(entries.map(({ action }) => action).reverse()).toEqual([
      "source.created",
      "source.changed",
      "source.deactivated",
      "source.activated",
      "source.secrets_rotated",
      "source.secrets_rotated",
      "source.deleted",
    ]);
    expect(entries.every(({ actor }) => actor.startsWith("api_key:"))).toBe(true);
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Json;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        "/automation/{id}/{endpoint}",
        "/v1/sources",
        "/v1/sources/{sourceId}/rotate-secrets",
        "/v1/source-executions/{executionId}",
        "/v1/source-refusals",
      ]),
    );
  });
});
