import { createHmac } from "node:crypto";
import { type Outbox, silentLogger } from "@hookline/core";
import { createDispatcher } from "@hookline/dispatcher";
import { createVirtualClock } from "@hookline/dispatcher/testing";
import { createApp, createEngine, createLocalMailer, supportSource } from "@hookline/engine";
import { migrate } from "@hookline/postgres";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCommandMemory } from "../src/command-memory.js";
import { deskMigrations } from "../src/desk/migrations/index.js";
import { createTicketAction, ensureSupportAutomation } from "../src/desk/ticket-action.js";
import { createTickets } from "../src/desk/tickets.js";
import { createDiscordGuilds } from "../src/discord-guilds.js";
import { createFirstStart } from "../src/first-start.js";
import { createMailRoutes } from "../src/http/mail-routes.js";
import { createUpkeep } from "../src/upkeep.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const encryptionKey = Buffer.alloc(32, 7).toString("base64");
const tenantId = "acme";

describeMatrix({ describe, beforeAll, afterAll }, ["pglite", "postgres"], (databases) => {
  it("A1 has the automation of the support webhook active, or not yet made, after a start that broke off", async () => {
    const { database, schema } = await databases.open();
    const dispatcher = createDispatcher({ database, schema, encryptionKey });
    const tickets = createTickets({
      database,
      schema: "desk",
      outbox: dispatcher,
      linkContact: (...linking) => engine.identity.linkContact(...linking),
    });
    const open = (outbox: Outbox) => {
      const actions = [createTicketAction({ tickets })];
      return createEngine({ database, schema, encryptionKey, outbox, eventLog: dispatcher.events, actions });
    };
    const engine = open(dispatcher);
    for (const destination of engine.automations.destinations) dispatcher.use(destination);
    await dispatcher.migrate();
    await engine.migrate();
    const subscribe = () => Promise.reject(new Error("the connection is gone"));
    await expect(ensureSupportAutomation(open({ ...dispatcher, subscribe }), tenantId)).rejects.toThrow("gone");
    await ensureSupportAutomation(engine, tenantId);
    const [automation, ...others] = await engine.automations.list({ tenantId });
    expect([automation?.active, others]).toEqual([true, []]);
    const { endpoints } = await dispatcher.endpoints.list({ tenantId, destination: "automation" });
    expect(endpoints).toMatchObject([{ active: true, target: { automationId: automation?.id } }]);

    await engine.automations.deactivate({ tenantId, id: automation?.id ?? "" });
    await ensureSupportAutomation(engine, tenantId);
    expect(await engine.automations.list({ tenantId })).toMatchObject([{ active: false }]);
    await engine.close();
  });

  it("E6 remembers which commands are its own in each server", async () => {
    const { database, schema } = await databases.open();
    await migrate(database, { schema, component: "desk", migrations: deskMigrations });
    const [here, there] = ["1", "2"].map((guildId) => createCommandMemory({ database, schema, guildId }));
    expect(await here?.read()).toEqual([]);
    await here?.write([{ kind: "command", name: "ticket" }]);
    await there?.write([{ kind: "user-command", name: "Who" }]);
    await here?.write([{ kind: "command", name: "link" }]);
    expect(await here?.read()).toEqual([{ kind: "command", name: "link" }]);
    expect(await there?.read()).toEqual([{ kind: "user-command", name: "Who" }]);
  });

  it("X10 connects the server of the environment at the first start, and not again once it was disconnected", async () => {
    const { database, schema } = await databases.open();
    const dispatcher = createDispatcher({ database, schema, encryptionKey });
    const parts = { database, schema, encryptionKey, outbox: dispatcher, eventLog: dispatcher.events };
    const engine = createEngine(parts);
    await dispatcher.migrate();
    await engine.migrate();
    await migrate(database, { schema, component: "desk", migrations: deskMigrations });
    const guilds = createDiscordGuilds({
      installations: () => engine.installations,
      own: { guildId: "21", tenantId, verifiedRoleId: "31" },
      logger: silentLogger,
    });
    const { once } = createFirstStart({ database, schema });
    const connected = async () => (await guilds.list(tenantId)).map(({ id }) => id);

    await engine.installations.save({ connectorId: "discord", installationId: "21", tenantId: "another" });
    await once("server 21", guilds.ensureOwn);
    expect(await connected()).toEqual([]);
    await guilds.remove({ guildId: "21", tenantId: "another", actor: "key" });
    await once("server 21", guilds.ensureOwn);
    expect(await connected()).toEqual(["21"]);
    // The role of the environment, until somebody says another, or none.
    expect(await guilds.verifiedRoles(tenantId)).toEqual([{ guildId: "21", roleId: "31" }]);
    const change = { guildId: "21", tenantId, actor: "key" };
    expect(await guilds.setVerifiedRole({ ...change, roleId: "32" })).toMatchObject({ verifiedRoleId: "32" });
    expect(await guilds.setVerifiedRole({ ...change, roleId: null })).toMatchObject({ verifiedRoleId: null });
    expect(await guilds.verifiedRoles(tenantId)).toEqual([]);
    await guilds.remove({ guildId: "21", tenantId, actor: "key" });
    await once("server 21", guilds.ensureOwn);
    expect(await connected()).toEqual([]);
    await engine.close();
  });

  it("shows each tenant its own mails of the local outbox", async () => {
    const { database, schema } = await databases.open();
    const dispatcher = createDispatcher({ database, schema, encryptionKey });
    const engine = createEngine({ database, schema, encryptionKey, outbox: dispatcher, eventLog: dispatcher.events });
    await dispatcher.migrate();
    await engine.migrate();
    const mailer = createLocalMailer({ database, schema });
    const mail = { subject: "Confirm", text: "https://example.com/?token=secret" };
    await mailer.send({ ...mail, to: "anna@example.com", tenantId });
    await mailer.send({ ...mail, to: "ben@example.com", tenantId: "another" });
    await mailer.send({ ...mail, to: "cleo@example.com" });
    const app = createApp(engine, { routes: [createMailRoutes({ engine, mailer })] });
    const mails = async (tenant: string) => {
      const { key } = await engine.apiKeys.create({ tenantId: tenant, name: "x", scopes: ["write"] });
      const answer = await app.request("/v1/development/mails", { headers: { authorization: `Bearer ${key}` } });
      return ((await answer.json()) as { mails: { to: string }[] }).mails.map(({ to }) => to);
    };
    expect(await mails(tenantId)).toEqual(["anna@example.com"]);
    expect(await mails("another")).toEqual(["ben@example.com"]);
    expect(await mails("third")).toEqual([]);
    await engine.close();
  });

  it("H10 encrypts sources and endpoints with the newest key at the start, so that the old one can go", async () => {
    const { database, schema } = await databases.open();
    const newKey = Buffer.alloc(32, 9).toString("base64");
    const world = (keys: readonly string[]) => {
      const parts = { database, schema, encryptionKey: keys };
      const dispatcher = createDispatcher(parts);
      return { dispatcher, engine: createEngine({ ...parts, outbox: dispatcher, eventLog: dispatcher.events }) };
    };
    const before = world([encryptionKey]);
    await before.dispatcher.migrate();
    await before.engine.migrate();
    const target = { url: "https://example.com/hook" };
    await before.engine.apiKeys.ensure({ tenantId, name: "environment", key: "k".repeat(32) });
    const endpoint = await before.dispatcher.endpoints.create({ tenantId, target, events: ["*"] });
    const source = await before.engine.sources.create({ tenantId, endpoint: "orders", fields: [] });

    const { engine, dispatcher } = world([newKey, encryptionKey]);
    const upkeep = createUpkeep({ engine, endpoints: dispatcher.endpoints, logger: silentLogger });
    upkeep.start();
    await upkeep.stop();

    const after = world([newKey]);
    expect(await after.dispatcher.endpoints.get(endpoint)).toMatchObject({ target });
    const app = createApp(after.engine);
    const body = "{}";
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac("sha256", source.secret ?? "")
      .update(`${timestamp}.${body}`)
      .digest("hex");
    const answer = await app.request(source.path, {
      method: "POST",
      body,
      headers: {
        authorization: `Bearer ${source.bearerToken}`,
        "x-erxes-timestamp": timestamp,
        "x-erxes-signature": `sha256=${signature}`,
      },
    });
    expect(answer.status).toBe(200);
  });

  it("E14 tells once that the secrets of endpoints and sources are due, and not of one that was rotated", async () => {
    const { database, schema } = await databases.open();
    const clock = createVirtualClock();
    const dispatcher = createDispatcher({ database, schema, encryptionKey, clock });
    const source = supportSource({ tenantId, secrets: ["the-secret-of-a-source-0123456789"] });
    const parts = { database, schema, encryptionKey, clock, outbox: dispatcher, eventLog: dispatcher.events };
    const engine = createEngine({ ...parts, sources: [source] });
    await dispatcher.migrate();
    await engine.migrate();
    const target = { url: "https://example.com/hook" };
    const old = await dispatcher.endpoints.create({ tenantId, target, events: ["*"] });
    const rotated = await dispatcher.endpoints.create({ tenantId, target, events: ["*"] });
    const other = await dispatcher.endpoints.create({ tenantId: "globex", target, events: ["*"] });
    await engine.apiKeys.ensure({ tenantId, name: "environment", key: "k".repeat(32) });
    await engine.apiKeys.create({ tenantId: "globex", name: "first" });
    const look = async (tenantId = "acme") => {
      const upkeep = createUpkeep({ engine, endpoints: dispatcher.endpoints, logger: silentLogger });
      upkeep.start();
      await upkeep.stop();
      const { events } = await dispatcher.events.list({ tenantId, type: "secret.rotation_due" });
      return events.map(({ data }) => data).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    };
    expect(await look()).toEqual([]);
    clock.advance(45 * DAY_MS);
    await dispatcher.endpoints.rotateSecret({ tenantId, id: rotated.id });
    clock.advance(45 * DAY_MS);
    await engine.apiKeys.ensure({ tenantId, name: "environment", key: "n".repeat(32) });
    const since = old.secretMadeAt?.toISOString();
    const told = [
      { kind: "endpoint_secret", id: old.id, since },
      { kind: "source_secret", id: source.id, since: expect.any(String) },
    ];
    expect(await look()).toEqual(told);
    expect(await look()).toEqual(told);
    expect(await look("globex")).toContainEqual({ kind: "endpoint_secret", id: other.id, since });
  });
});
