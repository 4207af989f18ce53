import { randomBytes } from "node:crypto";
import { createDiscordSimulator, type DiscordSimulator } from "@hookline/discord-simulator";
import { createDispatcher, type Dispatcher } from "@hookline/dispatcher";
import { createEngine, type Engine } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import { openTestPglite } from "@hookline/postgres/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createDiscordConnector, type DiscordConnector, markdown } from "../src/index.js";
import { COMPONENT_SECRET, INGRESS_SECRET } from "./support/app.js";

const TENANT = "acme";

let simulator: DiscordSimulator;
let connector: DiscordConnector;
let database: Database;
let dispatcher: Dispatcher;
let engine: Engine;
let guildId: string;
const memberIds = new Map<string, string>();
const roleIds = new Map<string, string>();
const channelIds = new Map<string, string>();
const of = (map: ReadonlyMap<string, string>, name: string) => map.get(name) ?? "";

beforeAll(async () => {
  simulator = createDiscordSimulator({ rateLimits: false });
  const { url } = await simulator.start();
  const hidden = await simulator.addChannel({ name: "hidden", deniedToBot: ["ViewChannel"] });
  const silent = await simulator.addChannel({ name: "silent", deniedToBot: ["SendMessages"] });
  const [guild] = (await simulator.state()).guilds;
  guildId = guild?.id ?? "";
  for (const { username, id } of guild?.members ?? []) memberIds.set(username, id);
  for (const { name, id } of guild?.roles ?? []) roleIds.set(name, id);
  for (const { name, id } of guild?.channels ?? []) channelIds.set(name ?? "", id);
  channelIds.set("hidden", hidden.id).set("silent", silent.id);
  const { application } = simulator;
  connector = createDiscordConnector({
    applicationId: application.id,
    clientSecret: application.clientSecret,
    publicKeyHex: application.publicKeyHex,
    botToken: application.botToken,
    restBaseUrl: `${url}/api/v10`,
    ingressSecrets: [INGRESS_SECRET],
    componentSecret: COMPONENT_SECRET,
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio",
    resolveTenant: (id) => (id === guildId ? TENANT : null),
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: true }),
  });
  database = await openTestPglite();
  const encryptionKey = randomBytes(32).toString("base64");
  dispatcher = createDispatcher({
    database,
    encryptionKey,
    events: [],
    retrySchedule: { delaysMs: [10, 10, 10], jitterRatio: 0 },
    pollMs: 50,
  });
  engine = createEngine({
    database,
    encryptionKey,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [connector],
    actions: [...connector.automationActions],
  });
  for (const destination of engine.automations.destinations) dispatcher.use(destination);
  await dispatcher.migrate();
  await engine.migrate();
  await dispatcher.start();
});

afterAll(async () => {
  await engine.close();
  await dispatcher.stop();
  await database.close();
  await simulator.close();
});

afterEach(() => simulator.faults.clear());

describe("the bot's actions", () => {
  it("H3 give and take a role, as often as they are asked to", async () => {
    const role = { guildId, userId: of(memberIds, "anna"), roleId: of(roleIds, "Verified") };
    for (let time = 0; time < 2; time += 1) expect(await connector.actions.grantRole(role)).toEqual({ ok: true });
    expect(await simulator.rolesOf("anna")).toEqual(["Verified"]);
    for (let time = 0; time < 2; time += 1) expect(await connector.actions.removeRole(role)).toEqual({ ok: true });
    expect(await simulator.rolesOf("anna")).toEqual([]);
  });

  it("say which of the things is missing, and that another try would change nothing", async () => {
    const role = { guildId, userId: of(memberIds, "anna"), roleId: of(roleIds, "Verified") };
    const { actions } = connector;
    const failures = [
      await actions.grantRole({ ...role, userId: "1" }),
      await actions.grantRole({ ...role, roleId: "1" }),
      await actions.grantRole({ ...role, guildId: "1" }),
      await actions.grantRole({ ...role, roleId: of(roleIds, "Hookline") }),
      await actions.sendMessage({ channelId: "1", message: { content: "x" } }),
      await actions.sendMessage({ channelId: of(channelIds, "hidden"), message: { content: "x" } }),
      await actions.sendMessage({ channelId: of(channelIds, "silent"), message: { content: "x" } }),
      await actions.editMessage({ channelId: of(channelIds, "ops"), messageId: "1", message: { content: "x" } }),
      await actions.sendDirectMessage({ userId: "1", message: { content: "x" } }),
    ];
    expect(failures.map((failure) => !failure.ok && [failure.code, failure.retry])).toEqual(
      [
        "unknown_member",
        "unknown_role",
        "unknown_guild",
        "missing_permission",
        "unknown_channel",
        "missing_access",
        "missing_permission",
        "unknown_message",
        "unknown_user",
      ].map((code) => [code, false]),
    );
    expect(failures[3]).toMatchObject({
      message: expect.stringMatching(/Missing Permissions\. .*role above this one/),
    });
    expect(failures[5]).toMatchObject({ message: expect.stringContaining("Let the bot see the channel") });
    expect(failures[6]).toMatchObject({ message: expect.stringContaining("Give the bot the permission") });
  });

  it("take only ids as mentions, each once, and as many as leave room for the text", async () => {
    const channelId = of(channelIds, "general");
    const ben = of(memberIds, "ben");
    const mentioning = (mention: object) => connector.actions.sendMessage({ channelId, message: "look", mention });
    const sent = await mentioning({ userIds: [ben, ben] });
    expect(sent).toMatchObject({ ok: true });
    expect((await simulator.messages({ channel: "general" })).at(-1)?.content).toBe(`<@${ben}> look`);
    const many = Array.from({ length: 51 }, (_, index) => String(10n ** 17n + BigInt(index)));
    const refused = { code: "invalid_option" };
    await expect(mentioning({ userIds: ["ben"] })).rejects.toMatchObject(refused);
    await expect(mentioning({ roleIds: [7] })).rejects.toMatchObject(refused);
    await expect(mentioning({ userIds: many.slice(0, 50), roleIds: many.slice(50) })).rejects.toThrow(
      "names 51 people",
    );
    expect(await mentioning({ userIds: many.slice(0, 50) })).toMatchObject({ ok: true });
    expect((await simulator.messages({ channel: "general" })).at(-1)?.content).toMatch(/look$/);
    const step = connector.automationActions.find(({ name }) => name === "discord.message.send");
    const input = { channelId, message: {}, mention: { userIds: many.slice(0, 26), roleIds: many.slice(26) } };
    expect(await step?.schema["~standard"].validate(input)).toMatchObject({
      issues: [{ message: "names at most 50 people and roles" }],
    });
  });

  it("post and edit a text alone", async () => {
    const channelId = of(channelIds, "general");
    const sent = await connector.actions.sendMessage({ channelId, message: "a *b*" });
    if (!sent.ok) throw new Error(sent.message);
    await connector.actions.editMessage({ channelId, messageId: sent.messageId, message: markdown`**b**` });
    expect((await simulator.messages({ channel: "general" })).at(-1)?.content).toBe("**b**");
  });

  it("say which part of a message Discord does not take", async () => {
    const message = { embeds: [{ title: "red", color: -1 }] };
    expect(await connector.actions.sendMessage({ channelId: of(channelIds, "general"), message })).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/Invalid Form Body: embeds\.0\.color: /),
    });
  });

  it("post a message once for one key, mention only whom they are told to, and edit it", async () => {
    const channelId = of(channelIds, "ops");
    const ben = of(memberIds, "ben");
    const post = () =>
      connector.actions.sendMessage({
        channelId,
        message: { content: markdown`look, ${"@everyone"} and <@${of(memberIds, "anna")}>` },
        mention: { userIds: [ben], roleIds: [of(roleIds, "Moderator")] },
        idempotencyKey: "run 1",
      });
    const sent = await post();
    expect(sent).toMatchObject({ ok: true, channelId });
    expect(await post()).toEqual(sent);
    const [message, ...others] = await simulator.messages({ channel: "ops" });
    expect(others).toEqual([]);
    expect(message?.content.startsWith(`<@${ben}> <@&${of(roleIds, "Moderator")}> look`)).toBe(true);
    expect(message?.mentions.map(({ username }) => username)).toEqual(["ben"]);
    expect(message?.mention_everyone).toBe(false);
    const edited = await connector.actions.editMessage({
      channelId,
      messageId: message?.id ?? "",
      message: { embeds: [{ title: "done" }] },
    });
    expect(edited.ok).toBe(true);
    expect(
      (await simulator.messages({ channel: "ops" })).map(({ content, embeds }) => [content, embeds[0]?.title]),
    ).toEqual([["", "done"]]);
    const hers = await simulator.member("anna").say("#ops", "mine");
    expect(
      await connector.actions.editMessage({ channelId, messageId: hers.id, message: { content: "x" } }),
    ).toMatchObject({ ok: false, code: "not_the_author" });
  });

  it("write to a person, and tell closed direct messages from a Discord that is down", async () => {
    const write = () =>
      connector.actions.sendDirectMessage({ userId: of(memberIds, "anna"), message: { content: "psst" } });
    expect(await write()).toMatchObject({ ok: true });
    expect((await simulator.member("anna").messages("@bot")).map(({ content }) => content)).toEqual(["psst"]);
    await simulator.member("anna").setDirectMessages(false);
    expect(await write()).toMatchObject({ ok: false, code: "direct_messages_closed", retry: false });
    await simulator.faults.failRequests({ count: 1, status: 503 });
    expect(await write()).toMatchObject({ ok: false, code: "unavailable", retry: true });
    await simulator.faults.rateLimitRequests({ count: 1, retryAfterSeconds: 60 });
    expect(await write()).toMatchObject({ ok: false, code: "rate_limited", retry: true, retryAfterMs: 60_000 });
    await simulator.member("anna").setDirectMessages(true);
  });
});

describe("the bot's actions in automations", () => {
  let named = 0;
  async function run(action: string, input: object) {
    const name = `automation ${++named}`;
    const type = `test.ran_${named}`;
    const { id } = await engine.automations.create({
      tenantId: TENANT,
      name,
      trigger: { events: [type] },
      steps: [{ id: "act", action, input }],
    });
    await engine.automations.activate({ tenantId: TENANT, id });
    await dispatcher.publish({ tenantId: TENANT, type, data: { who: of(memberIds, "ben"), words: "**not** bold" } });
    const ended = async () => {
      const { executions } = await engine.automations.executions({ tenantId: TENANT, automationId: id });
      return executions[0];
    };
    await expect.poll(async () => (await ended())?.status, { timeout: 20_000 }).toMatch(/succeeded|failed/);
    return ended();
  }

  it("E10 give a role, post a message with people's words as they were typed, and write to a member", async () => {
    const roleId = of(roleIds, "Verified");
    expect(await run("discord.role.grant", { guildId, userId: "{{ who }}", roleId })).toMatchObject({
      status: "succeeded",
    });
    expect(await simulator.rolesOf("ben")).toEqual(["Verified"]);
    expect(await run("discord.role.remove", { guildId, userId: "{{ who }}", roleId })).toMatchObject({
      status: "succeeded",
    });
    const sent = await run("discord.message.send", {
      channelId: of(channelIds, "support"),
      message: {
        content: "{{ words }}",
        title: "T",
        color: "#ff0000",
        buttons: [{ label: "Go", url: "https://a.example" }],
      },
      mention: { userIds: ["{{ who }}"] },
    });
    expect(sent).toMatchObject({ status: "succeeded" });
    const [message] = await simulator.messages({ channel: "support" });
    expect(message).toMatchObject({
      content: `<@${of(memberIds, "ben")}> \\*\\*not\\*\\* bold`,
      embeds: [{ title: "T", color: 0xff0000 }],
      mentions: [{ username: "ben" }],
    });
    const place = { channelId: message?.channel_id, messageId: message?.id };
    await run("discord.message.edit", { ...place, message: { content: "changed" } });
    expect((await simulator.messages({ channel: "support" }))[0]?.content).toBe("changed");
    const direct = { guildId, userId: "{{ who }}", message: { content: "hello" } };
    expect(await run("discord.direct_message.send", direct)).toMatchObject({ status: "succeeded" });
    expect((await simulator.member("ben").messages("@bot")).map(({ content }) => content)).toEqual(["hello"]);
  }, 60_000);

  it("E10 fail with the reason, and act in no server of somebody else", async () => {
    await simulator.member("ben").setDirectMessages(false);
    const direct = { guildId, userId: "{{ who }}", message: { content: "hello" } };
    expect(await run("discord.direct_message.send", direct)).toMatchObject({
      status: "failed",
      error: expect.stringContaining("direct_messages_closed"),
    });
    const other = await simulator.addGuild({ name: "Theirs" });
    const theirs = (await simulator.state()).guilds.find(({ id }) => id === other.id)?.channels[0]?.id;
    for (const [action, input] of [
      ["discord.role.grant", { guildId: other.id, userId: "{{ who }}", roleId: "1" }],
      ["discord.message.send", { channelId: theirs, message: { content: "x" } }],
      ["discord.direct_message.send", { ...direct, guildId: other.id }],
    ] as const) {
      expect(await run(action, input)).toMatchObject({
        status: "failed",
        error: expect.stringContaining("not_of_tenant"),
      });
    }
    expect(await simulator.messages({ channel: theirs ?? "" })).toEqual([]);
    expect(await run("discord.message.send", { channelId: "general", message: {} })).toMatchObject({
      status: "failed",
    });
  }, 60_000);
});
