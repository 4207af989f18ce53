import { afterEach, describe, expect, it } from "vitest";
import { createDiscordConnector, defineCommand, reply } from "../src/index.js";
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
      body.options.length === 0
        ? undefined
        : body.options.map(({ required, ...option }: Json) => ({ ...option, ...(required ? { required } : {}) }));
    stored.set(kept.id, kept);
    return { status: 200, body: kept };
  };
  return stored;
}

describe("registerCommands", () => {
  it("E6 creates ours, changes what differs, sends nothing for what fits, and never touches others'", async () => {
    app = await startApp({ commands: [ticket("Open a ticket")] });
    const stored = commandStore();
    expect(await app.connector.registerCommands()).toEqual({
      created: ["link", "ticket"],
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
    expect(await app.connector.registerCommands()).toMatchObject({ unchanged: ["link", "ticket"] });
    expect(app.discord.calls.map((call) => call.method)).toEqual(["GET"]);

    const changed = createDiscordConnector({ ...changedOptions(), commands: [ticket("Ask for help")] });
    app.discord.calls.length = 0;
    expect(await changed.registerCommands()).toMatchObject({ changed: ["ticket"], unchanged: ["link"] });
    expect(app.discord.calls.map((call) => call.method)).toEqual(["GET", "PATCH"]);
    expect(stored.get("1")).toEqual({ id: "1", name: "theirs", type: 1, description: "Somebody else's", version: "1" });
    expect([...stored.values()].map((one) => one.name)).toEqual(["theirs", "link", "link", "ticket"]);
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
    expect(await app.connector.grantRole(grant)).toEqual({ ok: true });
    expect(app.discord.calls[0]).toMatchObject({
      method: "PUT",
      path: "/guilds/200000000000000001/members/400000000000000001/roles/500000000000000001",
    });
  });

  it.each([
    [404, 10007, "unknown_member"],
    [404, 10011, "unknown_role"],
    [404, 10004, "unknown_guild"],
    [403, 50013, "forbidden"],
    [401, 0, "unauthorized"],
    [400, 50035, "refused"],
    [502, undefined, "unavailable"],
  ])("tells %i with code %s as %s", async (status, code, reason) => {
    app = await startApp();
    app.discord.answer = () => ({ status, body: { code, message: "no" } });
    expect(await app.connector.grantRole(grant)).toMatchObject({ ok: false, reason });
  });

  it("tells an unreachable Discord from one that refuses, and takes no path as an id", async () => {
    app = await startApp();
    const away = createDiscordConnector({ ...changedOptions(), restBaseUrl: "http://127.0.0.1:1/api/v10" });
    expect(await away.grantRole(grant)).toMatchObject({ ok: false, reason: "unavailable" });
    await expect(app.connector.grantRole({ ...grant, roleId: "../../@me" })).rejects.toMatchObject({
      code: "invalid_option",
    });
    expect(app.discord.calls).toEqual([]);
  });
});

function changedOptions() {
  return {
    applicationId: APPLICATION_ID,
    clientSecret: "client-secret",
    publicKeyHex: "ab".repeat(32),
    ingressSecrets: ["ingress-secret-with-more-than-32-characters"],
    componentSecret: "component-secret-of-more-than-32-characters",
    redirectUri: "http://127.0.0.1/callback",
    studioIntegrationsUrl: "http://127.0.0.1/studio",
    saveDerived: async () => {},
    resolveContact: async () => {},
    requestConfirm: async () => ({ ok: true }) as const,
    restBaseUrl: app.discord.restBaseUrl,
    botToken: BOT_TOKEN,
  };
}
