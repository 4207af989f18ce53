import { afterEach, describe, expect, it } from "vitest";
import {
  type CommandMemory,
  type CommandName,
  createDiscordConnector,
  defineCommand,
  defineCommandGroup,
  defineMessageCommand,
  defineUserCommand,
  reply,
} from "../src/index.js";
import { APPLICATION_ID, BOT_TOKEN, startApp, type TestApp } from "./support/app.js";
import { faultsByDiscord } from "./support/discord-schemas.js";
import type { Json } from "./support/json.js";

let app: TestApp;
afterEach(() => app.close());

const ticket = (description: string) =>
  defineCommand({
    name: "ticket",
    description,
    visibleTo: ["ManageGuild"],
    options: { urgent: { type: "boolean", description: "Urgent" } },
    answer: "immediate",
    run: () => reply("ok"),
  });

/** A command store like Discord's: it leaves out what is false and adds fields of its own. */
function commandStore() {
  const stored = new Map<string, Json>([
    ["1", { id: "1", name: "theirs", type: 1, description: "Somebody else's", version: "1" }],
    ["2", { id: "2", name: "link", type: 2, description: "", version: "1" }],
  ]);
  let next = 10;
  app.discord.answer = ({ method, path, body }) => {
    const id = path.split("/").at(-1) ?? "";
    if (method === "GET") return { status: 200, body: [...stored.values()] };
    if (method === "DELETE") {
      stored.delete(id);
      return { status: 204 };
    }
    const kept = {
      ...body,
      id: method === "POST" ? String(next++) : id,
      application_id: APPLICATION_ID,
      version: "1",
      nsfw: false,
    };
    kept.options =
      (body.options ?? []).length === 0
        ? undefined
        : body.options.map(({ required, ...option }: Json) => ({ ...option, ...(required ? { required } : {}) }));
    stored.set(kept.id, kept);
    return { status: 200, body: kept };
  };
  return stored;
}

describe("registerCommands", () => {
  it("E6 creates ours, changes what differs, sends nothing for what fits, and never touches others'", async () => {
    const hours = defineCommand({
      name: "hours",
      description: "When it is open",
      options: { day: { type: "string", description: "Which", maxLength: 9 } },
      answer: "immediate",
      run: () => reply("9 to 5"),
    });
    const desk = (description: string) => defineCommandGroup({ name: "desk", description, subcommands: [hours] });
    app = await startApp({ commands: [ticket("Open a ticket"), desk("The desk")] });
    const stored = commandStore();
    expect(await app.connector.registerCommands()).toEqual({
      created: ["link", "ticket", "desk"],
      changed: [],
      removed: [],
      unchanged: [],
    });
    for (const call of app.discord.calls.filter((one) => one.method === "POST")) {
      const { default_member_permissions: permissions, ...body } = call.body;
      expect(await faultsByDiscord("ApplicationCommandCreateRequestSchema", body)).toEqual([]);
      expect([null, "32"]).toContain(permissions);
      expect(call.headers.get("authorization")).toBe(`Bot ${BOT_TOKEN}`);
    }
    app.discord.calls.length = 0;
    expect(await app.connector.registerCommands()).toMatchObject({ unchanged: ["link", "ticket", "desk"] });
    expect(app.discord.calls.map((call) => call.method)).toEqual(["GET"]);

    const changed = createDiscordConnector({
      ...changedOptions(),
      commands: [ticket("Ask for help"), desk("The desk")],
    });
    app.discord.calls.length = 0;
    expect(await changed.registerCommands()).toMatchObject({ changed: ["ticket"], unchanged: ["link", "desk"] });
    expect(app.discord.calls.map((call) => call.method)).toEqual(["GET", "PATCH"]);
    expect(stored.get("1")).toEqual({ id: "1", name: "theirs", type: 1, description: "Somebody else's", version: "1" });
    expect([...stored.values()].map((one) => one.name)).toEqual(["theirs", "link", "link", "ticket", "desk"]);
  });

  it("E6 removes a command only when it is named as retired, and can do all of it for one server", async () => {
    app = await startApp({ commands: [ticket("Open a ticket")] });
    const stored = commandStore();
    await app.connector.registerCommands({ guildId: "200000000000000001" });
    const without = createDiscordConnector(changedOptions());
    expect(await without.registerCommands({ guildId: "200000000000000001" })).toMatchObject({ removed: [] });
    expect(
      await without.registerCommands({ guildId: "200000000000000001", retired: ["ticket", "never-was"] }),
    ).toMatchObject({
      removed: ["ticket"],
    });
    expect([...stored.values()].map((one) => one.name)).toEqual(["theirs", "link", "link"]);
    expect(
      app.discord.calls.every((call) =>
        call.path.startsWith(`/applications/${APPLICATION_ID}/guilds/200000000000000001/commands`),
      ),
    ).toBe(true);
    await expect(app.connector.registerCommands({ retired: ["ticket"] })).rejects.toMatchObject({
      code: "invalid_option",
    });
  });

  it("N3 reads no more than 8 MB of an answer", async () => {
    app = await startApp();
    app.discord.answer = () => ({ status: 200, body: ["x".repeat(9 * 1_024 * 1_024)] });
    await expect(app.connector.registerCommands()).rejects.toMatchObject({
      code: "api_unreachable",
      cause: { message: "The answer is longer than 8388608 bytes." },
    });
  });

  it("E6 leaves out of a server, or takes out of it, what is not for it", async () => {
    app = await startApp({ commands: [ticket("Open a ticket")] });
    const stored = commandStore();
    const guildId = "200000000000000001";
    expect(await app.connector.registerCommands({ guildId, without: ["ticket"] })).toMatchObject({
      created: ["link"],
      removed: [],
    });
    await app.connector.registerCommands({ guildId });
    expect(await app.connector.registerCommands({ guildId, without: [ticket("Open a ticket")] })).toMatchObject({
      unchanged: ["link"],
      removed: ["ticket"],
    });
    expect([...stored.values()].map((one) => one.name)).toEqual(["theirs", "link", "link"]);
  });

  it("E6 removes what is remembered as ours and no longer defined, also after a crash, and nothing of others", async () => {
    app = await startApp({ commands: [ticket("Open a ticket")] });
    const stored = commandStore();
    let ours: readonly CommandName[] = [];
    const memory: CommandMemory = {
      read: async () => ours,
      write: async (commands) => {
        ours = commands;
      },
    };
    await app.connector.registerCommands({ memory });
    expect(ours).toEqual([
      { kind: "command", name: "link" },
      { kind: "command", name: "ticket" },
    ]);
    const fewer = createDiscordConnector(changedOptions());
    app.discord.next.push({ status: 500 });
    await expect(fewer.registerCommands({ memory })).rejects.toMatchObject({ code: "api_error" });
    expect(ours).toContainEqual({ kind: "command", name: "ticket" });
    expect(await fewer.registerCommands({ memory })).toMatchObject({ removed: ["ticket"], unchanged: ["link"] });
    expect(ours).toEqual([{ kind: "command", name: "link" }]);
    expect([...stored.values()].map((one) => one.name)).toEqual(["theirs", "link", "link"]);
  });

  it("E6 tells commands of a menu from slash commands of the same name, and notices autocomplete", async () => {
    const menus = (visibleTo: readonly ["ManageGuild"] | readonly []) => [
      defineUserCommand({ name: "ticket", visibleTo, answer: "immediate", run: () => reply("ok") }),
      defineMessageCommand({ name: "Open a ticket", answer: "immediate", run: () => reply("ok") }),
    ];
    app = await startApp({ commands: [ticket("Open a ticket"), ...menus([])] });
    const stored = commandStore();
    expect(await app.connector.registerCommands()).toMatchObject({
      created: ["link", "ticket", "ticket", "Open a ticket"],
    });
    const posted = app.discord.calls.filter((one) => one.method === "POST").map(({ body }) => body);
    expect(posted.map(({ type }) => type)).toEqual([1, 1, 2, 3]);
    for (const { default_member_permissions: _, ...body } of posted) {
      expect(await faultsByDiscord("ApplicationCommandCreateRequestSchema", body)).toEqual([]);
    }
    expect(await app.connector.registerCommands()).toMatchObject({
      unchanged: ["link", "ticket", "ticket", "Open a ticket"],
    });

    const suggesting = defineCommand({
      name: "ticket",
      description: "Open a ticket",
      visibleTo: ["ManageGuild"],
      options: { queue: { type: "string", description: "Which", autocomplete: () => [] } },
      answer: "immediate",
      run: () => reply("ok"),
    });
    const changed = createDiscordConnector({ ...changedOptions(), commands: [suggesting, ...menus(["ManageGuild"])] });
    expect(await changed.registerCommands()).toMatchObject({
      changed: ["ticket", "ticket"],
      unchanged: ["link", "Open a ticket"],
    });
    expect(await changed.registerCommands()).toMatchObject({ changed: [] });

    const without = createDiscordConnector(changedOptions());
    const retired = ["ticket", { kind: "message-command", name: "Open a ticket" }] as const;
    expect(await without.registerCommands({ retired })).toMatchObject({ removed: ["ticket", "Open a ticket"] });
    const left = [...stored.values()].map(({ type, name }) => `${type} ${name}`);
    expect(left.sort()).toEqual(["1 link", "1 theirs", "2 link", "2 ticket"]);
  });

  it("says what is missing without a bot token, and what Discord refused, without the token", async () => {
    app = await startApp();
    const { botToken: _, ...without } = changedOptions();
    await expect(createDiscordConnector(without).registerCommands()).rejects.toMatchObject({
      code: "bot_token_missing",
    });
    app.discord.answer = () => ({ status: 401, body: { code: 0, message: "401: Unauthorized" } });
    const error = await app.connector.registerCommands().catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: "DiscordConnectorError",
      code: "api_error",
      status: 401,
      discordCode: 0,
      method: "GET",
      path: `/applications/${APPLICATION_ID}/commands`,
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(BOT_TOKEN);
  });

  it("E6 says which command Discord does not take, and which of its fields", async () => {
    app = await startApp({ commands: [ticket("A")] });
    const refused = {
      code: 50035,
      message: "Invalid Form Body",
      errors: {
        name: { _errors: [{ code: "X", message: "Not this name." }] },
        options: { 0: { description: { _errors: [{ code: "Y", message: "Too long." }, { code: "Z" }] } } },
        description: { _errors: [{ code: "Y", message: "Too rude." }] },
      },
    };
    app.discord.answer = ({ method, body }) =>
      method === "GET" || body.name === "link" ? { status: 200, body: [] } : { status: 400, body: refused };
    await expect(app.connector.registerCommands()).rejects.toMatchObject({
      code: "api_error",
      status: 400,
      discordCode: 50035,
      message: expect.stringMatching(
        /^The command "ticket": .*Invalid Form Body: name: Not this name\.; options\.0\.description: Too long\.; options\.0\.description: is refused; and 1 more$/,
      ),
    });
    await expect(app.connector.registerCommands({ guildId: "../x" })).rejects.toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining("guildId"),
    });
  });

  it("waits once for a short 429 and hands over a long one", async () => {
    app = await startApp();
    app.discord.answer = () => ({ status: 200, body: [] });
    app.discord.next.push({ status: 429, body: { retry_after: 0.05 } });
    await app.connector.registerCommands();
    app.discord.answer = () => ({ status: 429, body: { retry_after: 60 } });
    await expect(app.connector.registerCommands()).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 60_000,
    });
  });
});

describe("grantRole", () => {
  const grant = { guildId: "200000000000000001", userId: "400000000000000001", roleId: "500000000000000001" };

  it("H3 gives the role", async () => {
    app = await startApp();
    app.discord.answer = () => ({ status: 204 });
    expect(await app.connector.actions.grantRole(grant)).toEqual({ ok: true });
    expect(app.discord.calls[0]).toMatchObject({
      method: "PUT",
      path: "/guilds/200000000000000001/members/400000000000000001/roles/500000000000000001",
    });
  });

  it.each([
    [404, 10007, "unknown_member"],
    [404, 10011, "unknown_role"],
    [404, 10004, "unknown_guild"],
    [403, 50013, "missing_permission"],
    [401, 0, "unauthorized"],
    [400, 50035, "refused"],
    [502, undefined, "unavailable"],
  ])("tells %i with code %s as %s", async (status, code, reason) => {
    app = await startApp();
    app.discord.answer = () => ({ status, body: { code, message: "no" } });
    expect(await app.connector.actions.grantRole(grant)).toMatchObject({ ok: false, code: reason });
  });

  it("tells an unreachable Discord from one that refuses, and takes no path as an id", async () => {
    app = await startApp();
    const away = createDiscordConnector({ ...changedOptions(), restBaseUrl: "http://127.0.0.1:1/api/v10" });
    expect(await away.actions.grantRole(grant)).toMatchObject({ ok: false, code: "unavailable" });
    await expect(app.connector.actions.grantRole({ ...grant, roleId: "../../@me" })).rejects.toMatchObject({
      code: "invalid_option",
    });
    expect(app.discord.calls).toEqual([]);
  });

  it("says why there is no answer, but no address", async () => {
    app = await startApp();
    const saidOf = async (error: unknown) => {
      const failing = createDiscordConnector({ ...changedOptions(), fetch: () => Promise.reject(error) });
      const result = await failing.actions.grantRole(grant);
      return result.ok ? "" : result.message.slice(result.message.indexOf(grant.roleId) + grant.roleId.length);
    };
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    expect(await saidOf(new TypeError("fetch failed", { cause: refused }))).toBe(" (ECONNREFUSED).");
    expect(await saidOf(new TypeError("fetch failed", { cause: new Error("bad port") }))).toBe(" (bad port).");
    expect(await saidOf(new TypeError("Failed to parse http://a.example/webhooks/1/token"))).toBe(".");
    expect(await saidOf("gone")).toBe(".");
  });
});

function changedOptions() {
  return {
    applicationId: APPLICATION_ID,
    clientSecret: "client-secret",
    publicKeyHex: "ab".repeat(32),
    ingressSecrets: ["ingress-secret-with-more-than-32-characters"],
    componentSecret: "component-secret-of-more-than-32-characters",
    redirectUri: "http://127.0.0.1/v1/connectors/discord/oauth/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: true }) as const,
    restBaseUrl: app.discord.restBaseUrl,
    botToken: BOT_TOKEN,
  };
}
