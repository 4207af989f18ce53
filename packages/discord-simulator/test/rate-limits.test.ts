import { REST } from "@discordjs/rest";
import { Routes } from "discord-api-types/v10";
import { describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory } from "./started-simulator.js";
import { createTestClock } from "./test-clock.js";

describe("REST limits", () => {
  const start = simulatorFactory();

  function requester(simulator: DiscordSimulator) {
    return async (method: string, path: string, options: { body?: object; authorization?: string } = {}) => {
      const { body, authorization = `Bot ${simulator.application.botToken}` } = options;
      const response = await fetch(`${simulator.url}/api/v10${path}`, {
        method,
        headers: { authorization, "content-type": "application/json" },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
  }

  async function channelsOf(simulator: DiscordSimulator) {
    const { guilds } = await simulator.state();
    return guilds[0]?.channels.map(({ id }) => id) ?? [];
  }

  it("N6 tells the limit of a route in headers, and answers 429 in Discord's shape until it is renewed", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock });
    const request = requester(simulator);
    const [general, support] = await channelsOf(simulator);
    const post = (channel = general) => request("POST", `/channels/${channel}/messages`, { body: { content: "x" } });
    const told = [];
    for (let index = 0; index < 5; index += 1) told.push(await post());
    expect(told.map(({ status, headers }) => [status, headers.get("x-ratelimit-remaining")])).toEqual(
      ["4", "3", "2", "1", "0"].map((left) => [200, left]),
    );
    expect(Object.fromEntries(told[0]?.headers ?? [])).toMatchObject({
      "x-ratelimit-limit": "5",
      "x-ratelimit-reset-after": "5.000",
      "x-ratelimit-reset": (clock.now() / 1_000 + 5).toFixed(3),
      "x-ratelimit-bucket": expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    clock.advance(3_800);
    const refused = await post();
    expect([refused.status, JSON.parse(refused.text)]).toEqual([
      429,
      { message: "You are being rate limited.", retry_after: 1.2, global: false },
    ]);
    expect(Object.fromEntries(refused.headers)).toMatchObject({ "retry-after": "2", "x-ratelimit-scope": "user" });
    // Another channel has a limit of its own.
    expect((await post(support)).status).toBe(200);
    clock.advance(1_200);
    expect((await post()).status).toBe(200);
  });

  it("N6 limits all that one bot asks in a second, but not what carries a token in its path", async () => {
    const simulator = await start({ clock: createTestClock(), rateLimits: { globalPerSecond: 3 } });
    const request = requester(simulator);
    for (const path of ["/users/@me", "/gateway/bot", "/applications/@me"]) {
      expect((await request("GET", path)).status).toBe(200);
    }
    const refused = await request("GET", "/users/@me/guilds");
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.text)).toMatchObject({ global: true, retry_after: 1 });
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "x-ratelimit-global": "true",
      "x-ratelimit-scope": "global",
    });
    const interaction = await fetch(`${simulator.url}/api/v10/interactions/1/token/callback`, { method: "POST" });
    expect(interaction.status).toBe(404);
  });

  it("N6 bans an address that goes on being refused, as what stands before Discord does", async () => {
    const clock = createTestClock();
    const simulator = await start({ clock, rateLimits: { invalidRequests: 3 } });
    const request = requester(simulator);
    await simulator.faults.rateLimitRequests({ count: 1, scope: "shared" });
    expect((await request("GET", "/users/@me")).headers.get("x-ratelimit-scope")).toBe("shared");
    expect((await simulator.state()).rest).toEqual({ invalidRequests: 0, bannedUntil: null });
    for (let index = 0; index < 3; index += 1) await request("GET", "/users/@me", { authorization: "Bot wrong" });
    const banned = await request("GET", "/users/@me");
    expect([banned.status, banned.text]).toEqual([429, expect.stringContaining("<html>")]);
    expect(Object.fromEntries(banned.headers)).toMatchObject({ "retry-after": "600" });
    expect(banned.headers.get("x-ratelimit-limit")).toBeNull();
    expect((await simulator.state()).rest).toEqual({
      invalidRequests: 3,
      bannedUntil: new Date(clock.now() + 600_000).toISOString(),
    });
    clock.advance(600_000);
    expect((await request("GET", "/users/@me")).status).toBe(200);
    expect((await simulator.state()).rest).toEqual({ invalidRequests: 0, bannedUntil: null });
  });

  it("N6 limits nothing where that is said", async () => {
    const simulator = await start({ clock: createTestClock(), rateLimits: false });
    const request = requester(simulator);
    const [general] = await channelsOf(simulator);
    for (let index = 0; index < 12; index += 1) {
      const { status, headers } = await request("POST", `/channels/${general}/messages`, { body: { content: "x" } });
      expect([status, headers.get("x-ratelimit-limit")]).toEqual([200, null]);
    }
  });

  it("N6 refuses rules that mean nothing", async () => {
    await expect(start({ rateLimits: { globalPerSecond: 0 } })).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("N6 is obeyed by an unmodified @discordjs/rest, which waits and loses nothing", async () => {
    const simulator = await start();
    const [general = ""] = await channelsOf(simulator);
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    const texts = Array.from({ length: 7 }, (_, index) => `message ${index}`);
    await Promise.all(texts.map((content) => rest.post(Routes.channelMessages(general), { body: { content } })));
    expect((await simulator.messages({ channel: "general" })).map(({ content }) => content)).toEqual(texts);
    expect((await simulator.requests()).filter(({ status }) => status === 429)).toEqual([]);
  });
});
