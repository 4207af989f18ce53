import { type EventLog, type IngestInput, identitySubject } from "@hookline/core";
import { createReceiver } from "@hookline/dispatcher/testing";
import { expect, it, onTestFinished } from "vitest";
import {
  type ContactExport,
  createApp,
  createEngine,
  createLocalMailer,
  type PersonalDataHolder,
} from "../src/index.js";
import { ask, mint, visitor } from "./support/confirm.js";
import { counts, describeMatrix, ENCRYPTION_KEY, openWorld, tableText, until, type World } from "./support/world.js";

const tenantId = "default";
const email = { kind: "email", value: "jo@example.com" };
const member = { kind: "discord", value: ask.platformUserId };

function event(key: string, over: Partial<IngestInput> = {}): IngestInput {
  return {
    tenantId,
    type: "ticket.created",
    timestamp: new Date("2026-03-01T10:00:00Z"),
    idempotencyKey: key,
    identities: [email],
    data: { text: "my secret illness" },
    ...over,
  };
}

/** A person of two merged contacts with a confirm link, and a neighbour who has nothing to do with it. */
async function livedIn(world: World, { endpoint = true } = {}) {
  if (endpoint) {
    await world.dispatcher.endpoints.create({
      tenantId,
      target: { url: "https://example.com/hook" },
      events: ["ticket.*"],
      active: false,
    });
  }
  await world.engine.ingest([
    event("e1"),
    event("e2", { identities: [member], contactProperties: { discord: { username: "nelly" } } }),
    event("n1", { identities: [{ kind: "external", value: "neighbour" }], data: { text: "not theirs" } }),
  ]);
  await visitor(world).post(await mint(world));
  const contact = await world.engine.contacts.findByIdentity({ tenantId, ...email });
  if (!contact) throw new Error("no contact");
  return contact;
}

/** All that the schema's tables hold, as one text. */
async function everyTable(world: World): Promise<string> {
  const tables = await world.database.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = $1 order by 1",
    [world.schema],
  );
  return (await Promise.all(tables.map(({ name }) => tableText(world, name)))).join("\n");
}

describeMatrix("personal data", (databases) => {
  it("N9 finds contacts by the beginning of an identity, whatever its kind, page by page", async () => {
    const { engine } = await openWorld(databases);
    await engine.ingest(
      ["jo@example.com", "joan@example.com", "al@example.com", "50%@example.com"].map((value, index) =>
        event(`s${index}`, {
          identities: [
            { kind: "email", value },
            { kind: "external", value: `Cust-${index}` },
          ],
        }),
      ),
    );
    const found = async (text: string) => {
      const { contacts } = await engine.contacts.search({ tenantId, text });
      return contacts.map(({ identities }) => identities[0]?.value).sort();
    };
    expect(await found("JO")).toEqual(["jo@example.com", "joan@example.com"]);
    expect(await found("cust-2")).toEqual(["al@example.com"]);
    expect(await found("50%")).toEqual(["50%@example.com"]);
    expect(await found("%o")).toEqual([]);
    const first = await engine.contacts.search({ tenantId, text: "cust", limit: 3 });
    const second = await engine.contacts.search({ tenantId, text: "cust", cursor: first.nextCursor ?? "" });
    expect([first.contacts.length, second.contacts.length, second.nextCursor]).toEqual([3, 1, null]);
    expect((await engine.contacts.search({ tenantId: "globex", text: "jo" })).contacts).toEqual([]);
    for (const text of ["", "j", "a\u0000b", "x".repeat(513)]) {
      await expect(engine.contacts.search({ tenantId, text })).rejects.toMatchObject({ code: "invalid_identity" });
    }
  });

  it("N9 exports everything that is held about a person, and of nobody else", async () => {
    const world = await openWorld(databases);
    const contact = await livedIn(world);
    const exported = await world.engine.contacts.export({
      tenantId,
      contactId: contact.aliases[0] ?? "",
      actor: "user:dpo",
    });
    expect(exported?.contact).toEqual(contact);
    expect(exported?.events.map(({ type }) => type).sort()).toEqual([
      "discord.linked",
      "ticket.created",
      "ticket.created",
    ]);
    expect(exported?.links).toEqual([
      expect.objectContaining({ connectorId: "discord", platformUserName: "nelly", email: "jo@example.com" }),
    ]);
    expect(JSON.stringify(exported)).not.toContain("not theirs");
    expect(await world.engine.contacts.export({ tenantId, contactId: "con_none" })).toBeNull();
    expect(await world.engine.contacts.export({ tenantId: "globex", contactId: contact.id })).toBeNull();
    const { entries } = await world.engine.audit.list({ tenantId, action: "contact.exported" });
    expect(entries).toEqual([expect.objectContaining({ actor: "user:dpo", target: contact.id })]);
  });

  it("N9 erases a person everywhere, ends deliveries that wait, and leaves the neighbour alone", async () => {
    const world = await openWorld(databases);
    const { engine, dispatcher } = world;
    const contact = await livedIn(world);
    const erasure = await engine.contacts.erase({ tenantId, contactId: contact.aliases[0] ?? "", actor: "user:dpo" });
    expect(erasure).toMatchObject({ contactId: contact.id, status: "done", events: 3 });
    for (const id of [contact.id, ...contact.aliases]) {
      expect(await engine.contacts.get({ tenantId, contactId: id })).toBeNull();
    }
    expect(await engine.contacts.findByIdentity({ tenantId, ...email })).toBeNull();
    for (const table of [
      "contacts",
      "contact_identities",
      "contact_aliases",
      "confirm_tokens",
      "events",
      "attempts",
      "audit_log",
      "erasures",
    ]) {
      expect(await tableText(world, table), table).not.toMatch(/illness|jo@example|nelly|80351110224678912/);
    }
    const { deliveries } = await dispatcher.deliveries.list({ tenantId });
    expect(
      deliveries
        .filter(({ endpointId }) => endpointId)
        .map(({ status }) => status)
        .sort(),
    ).toEqual(["dead", "dead", "held"]);
    expect(await counts(world)).toMatchObject({ contacts: 1, identities: 1, aliases: 0 });
    expect(await tableText(world, "events")).toContain("not theirs");
    expect((await engine.audit.list({ tenantId, action: "contact.erased" })).entries).toHaveLength(1);
    // Once more changes nothing.
    expect(await engine.contacts.erase({ tenantId, contactId: contact.id })).toEqual(erasure);
    expect(await engine.contacts.erase({ tenantId, contactId: "con_none" })).toBeNull();
    expect(await engine.contacts.erase({ tenantId: "globex", contactId: contact.id })).toBeNull();
  });

  it("N9 takes requests that became no event, and name the person, out of what sources kept", async () => {
    const world = await openWorld(databases);
    const contact = await livedIn(world, { endpoint: false });
    const keep = (id: string, payload: string, tenant = tenantId) =>
      world.database.query(
        `insert into "${world.schema}".source_executions
           (id, tenant_id, source_id, status, error_code, error_message, event_ids, payload, received_at, duration_ms)
         values ($1, $2, 'support', 'failed', 'invalid_payload', 'no subject', '{}', $3, now(), 1)`,
        [id, tenant, Buffer.from(payload)],
      );
    await keep("exe_1", '{"customer_email":"Jo@Example.com","message":"ü\\\\ my secret illness"}');
    await keep("exe_2", `{"member":"${ask.platformUserId}"}`);
    await keep("exe_3", '{"customer_email":"al@example.com"}');
    await keep("exe_4", '{"customer_email":"jo@example.com"}', "globex");
    await world.engine.contacts.erase({ tenantId, contactId: contact.id });
    const rows = await world.database.query<{ id: string; payload: Uint8Array }>(
      `select id, payload from "${world.schema}".source_executions order by id`,
    );
    expect(rows.map(({ id, payload }) => [id, payload.byteLength > 0])).toEqual([
      ["exe_1", false],
      ["exe_2", false],
      ["exe_3", true],
      ["exe_4", true],
    ]);
  });

  it("N9 goes on with an erasure that broke off half way", async () => {
    const world = await openWorld(databases);
    const { database, schema, dispatcher } = world;
    const contact = await livedIn(world);
    let left = 1;
    const failing: EventLog = {
      list: (query) => dispatcher.events.list({ ...query, limit: 1 }),
      expunge: (one) => (left-- > 0 ? dispatcher.events.expunge(one) : Promise.reject(new Error("the process died"))),
      expungeSends: dispatcher.events.expungeSends,
    };
    const open = (eventLog: EventLog) =>
      createEngine({ database, schema, outbox: dispatcher, eventLog, encryptionKey: ENCRYPTION_KEY });
    await expect(open(failing).contacts.erase({ tenantId, contactId: contact.id })).rejects.toThrow("the process died");
    expect(await world.engine.contacts.get({ tenantId, contactId: contact.id })).toBeNull();
    expect(await tableText(world, "events")).toContain("illness");
    expect(await world.engine.contacts.resumeErasures()).toBe(1);
    expect(await tableText(world, "events")).not.toContain("illness");
    expect(await world.engine.contacts.resumeErasures()).toBe(0);
    const again = await world.engine.contacts.erase({ tenantId, contactId: contact.id });
    expect(again).toMatchObject({ status: "done", events: 3 });
    const { expunge: _events, ...noEvents } = failing;
    const { expungeSends: _sends, ...noSends } = failing;
    for (const unable of [noEvents, noSends]) {
      await expect(open(unable).contacts.erase({ tenantId, contactId: "con_1" })).rejects.toMatchObject({
        code: "erasure_unsupported",
      });
    }
  });

  it("N9 erases a tenant's mails of the local outbox to the person, and those of nobody's, but no other tenant's", async () => {
    const world = await openWorld(databases);
    const { database, schema, engine } = world;
    const mailer = createLocalMailer({ database, schema });
    const contact = await livedIn(world);
    const mail = { to: email.value, subject: "Confirm", text: "a link" };
    const others = [
      { ...mail, tenantId: "globex" },
      { ...mail, to: "al@example.com", tenantId },
    ];
    for (const one of [{ ...mail, tenantId }, mail, ...others]) await mailer.send(one);
    await engine.contacts.erase({ tenantId, contactId: contact.id });
    const left = (await mailer.list()).map(({ to, tenantId: of }) => [to, of]);
    expect(left.sort()).toEqual([
      ["al@example.com", tenantId],
      [email.value, "globex"],
    ]);
  });

  it("N9 exports and erases what deliveries, follow-ups, automations and other parts of the app hold: no table knows the person", async () => {
    const receiver = await createReceiver({
      answer: ({ body }) => ({ body: body.includes("not theirs") ? "stored" : "stored jo@example.com" }),
    });
    onTestFinished(() => receiver.close());
    const desk = new Set(["jo@example.com", "neighbour"]);
    const holder: PersonalDataHolder = {
      name: "desk",
      export: async ({ identities }) => identities.map(({ value }) => value).filter((value) => desk.has(value)),
      async erase({ identities }, { transaction }) {
        expect((await transaction.query("select 1 as one")).length).toBe(1);
        for (const { value } of identities) desk.delete(value);
      },
    };
    const mails: string[] = [];
    const world = await openWorld(databases, {
      start: true,
      mailer: { send: async ({ to }) => void mails.push(to) },
      personalData: [holder],
      addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true },
    });
    const { engine, dispatcher, database, schema, coldConnect } = world;
    await dispatcher.endpoints.create({ tenantId, target: { url: receiver.url }, events: ["ticket.created"] });
    const { id: automationId } = await engine.automations.create({
      tenantId,
      name: "Answer",
      trigger: { events: ["ticket.created"] },
      steps: [
        {
          id: "call",
          action: "http.request",
          input: { url: receiver.url, headers: {}, body: { about: "{{ data.text }}" } },
        },
        { id: "tell", action: "event.publish", input: { type: "ticket.answered", data: { to: "{{ data.text }}" } } },
      ],
    });
    await engine.automations.activate({ tenantId, id: automationId });
    await coldConnect.requestConfirm({ ...ask, idempotencyKey: "1" });
    await dispatcher.send({
      tenantId,
      destination: "http-request",
      target: { url: receiver.url, method: "POST", headers: {} },
      data: { hello: "nelly" },
      subjectIds: [identitySubject(member)],
    });
    await livedIn(world, { endpoint: false });
    const contact = await engine.contacts.findByIdentity({ tenantId, ...email });
    if (!contact) throw new Error("no contact");
    const export_ = async () => (await engine.contacts.export({ tenantId, contactId: contact.id })) as ContactExport;
    await until(async () => {
      const { sends, attempts, automationRuns } = await export_();
      const isSent = sends.length === 5 && sends.every((send) => send.attempts.length === 1);
      return isSent && attempts.length >= 4 && automationRuns.every(({ status }) => status === "succeeded");
    });
    const exported = await export_();
    expect(exported.sends.map(({ destination }) => destination).sort()).toEqual([
      "discord-after-bind",
      "discord-confirm-mail",
      "http-request",
      "http-request",
      "http-request",
    ]);
    expect(exported.sends).toContainEqual(
      expect.objectContaining({
        data: { hello: "nelly" },
        attempts: [expect.objectContaining({ status: 200, responseBody: "stored jo@example.com" })],
      }),
    );
    expect(exported.attempts).toContainEqual(
      expect.objectContaining({ endpointId: expect.any(String), responseBody: "stored jo@example.com" }),
    );
    expect(exported.automationRuns[0]?.steps).toMatchObject([{ id: "call" }, { id: "tell" }]);
    expect(exported.events.map(({ type }) => type)).toContain("ticket.answered");
    expect(exported.held).toEqual({ desk: ["jo@example.com"] });
    expect(JSON.stringify(exported)).not.toContain("not theirs");

    const isPersonal = /illness|jo@example|nelly|80351110224678912/;
    expect(await everyTable(world)).toMatch(isPersonal);
    const erased = await engine.contacts.erase({ tenantId, contactId: contact.id });
    expect(erased).toMatchObject({ status: "done" });
    expect(await everyTable(world)).not.toMatch(isPersonal);
    expect(await everyTable(world)).toContain("not theirs");
    expect([...desk]).toEqual(["neighbour"]);
    // What is encrypted can't be searched: of the targets, the one of the neighbour's request is left.
    const targets = await database.query(`select body from "${schema}".messages where target <> ''`);
    expect(targets).toEqual([{ body: '{"about":"not theirs"}' }]);
  });

  it("N9 over HTTP: export and erasure, for keys with the scope admin", async () => {
    const world = await openWorld(databases);
    const contact = await livedIn(world);
    const app = createApp(world.engine);
    const { key } = await world.engine.apiKeys.create({ tenantId, name: "dpo", scopes: ["admin", "read"] });
    const call = (method: string, path: string) =>
      app.request(path, { method, headers: { authorization: `Bearer ${key}` } });
    const exported = await call("GET", `/v1/contacts/${contact.id}/export`);
    expect([exported.status, exported.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await exported.json()).toMatchObject({ contact: { id: contact.id } });
    expect(await (await call("GET", "/v1/contacts?search=jo@")).json()).toMatchObject({
      contacts: [{ id: contact.id }],
    });
    const erased = await call("DELETE", `/v1/contacts/${contact.id}`);
    expect([erased.status, await erased.json()]).toEqual([200, expect.objectContaining({ status: "done" })]);
    expect((await call("GET", `/v1/contacts/${contact.id}/export`)).status).toBe(404);
    expect((await call("DELETE", "/v1/contacts/con_none")).status).toBe(404);
  });
});
