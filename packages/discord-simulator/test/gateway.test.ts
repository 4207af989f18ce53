import { REST } from "@discordjs/rest";
import { WebSocketShardEvents } from "@discordjs/ws";
import { GatewayIntentBits, Routes } from "discord-api-types/v10";
import { afterEach, describe, expect, it } from "vitest";
import type { DiscordSimulator, DiscordSimulatorOptions } from "../src/index.js";
import { ALL_INTENTS, createShardClient, type ShardClient } from "./gateway-client.js";
import { simulatorFactory, until } from "./started-simulator.js";

describe("the Gateway with @discordjs/ws", () => {
  const start = simulatorFactory();
  const clients: ShardClient[] = [];
  afterEach(async () => {
    for (const { manager } of clients.splice(0)) {
      await manager.destroy({ code: 1000 });
    }
  });

  async function connected(options: DiscordSimulatorOptions = {}, intents?: number) {
    const simulator = await start(options);
    const client = createShardClient(simulator, intents);
    clients.push(client);
    await client.manager.connect();
    await until(() => client.packets.some(({ t }) => t === "READY"));
    return { simulator, client };
  }

  const say = (simulator: DiscordSimulator, text: string) => simulator.member("anna").say("general", text);

  it("N6 sends READY, then GUILD_CREATE, then what happens, numbered without a gap", async () => {
    const { simulator, client } = await connected();
    await say(simulator, "one");
    await simulator.member("ben").setPresence("dnd", "Chess");
    await until(() => client.packets.length === 4);
    expect(client.packets.map(({ t, s }) => [t, s])).toEqual([
      ["READY", 1],
      ["GUILD_CREATE", 2],
      ["MESSAGE_CREATE", 3],
      ["PRESENCE_UPDATE", 4],
    ]);
    expect(client.packets[2]?.d).toMatchObject({
      content: "one",
      member: { nick: null },
      author: { username: "anna" },
    });
    expect(client.packets[2]?.d).not.toHaveProperty("member.user");
    expect(client.packets[3]?.d).toMatchObject({ status: "dnd", activities: [{ name: "Chess" }] });
  });

  it("N6 tells of a reaction with the author of the message, and of its removal", async () => {
    const { simulator, client } = await connected();
    const message = await say(simulator, "react to me");
    await simulator.member("ben").react(message, "hookline");
    await simulator.member("ben").unreact(message, "hookline");
    await until(() => client.packets.some(({ t }) => t === "MESSAGE_REACTION_REMOVE"));
    const added = client.packets.find(({ t }) => t === "MESSAGE_REACTION_ADD");
    expect(added?.d).toMatchObject({
      message_id: message.id,
      message_author_id: message.author.id,
      emoji: { name: "hookline", id: expect.stringMatching(/^\d+$/) },
      member: { user: { username: "ben" } },
      burst: false,
      type: 0,
    });
  });

  const interruptions: [string, (simulator: DiscordSimulator) => Promise<number>][] = [
    ["a dropped connection", ({ faults }) => faults.dropSockets()],
    ["op 7", ({ faults }) => faults.askToReconnect()],
    ["op 9 with true", ({ faults }) => faults.invalidateSessions({ resumable: true })],
    ["close code 4000", ({ faults }) => faults.closeSockets(4000)],
    ["close code 4009", ({ faults }) => faults.closeSockets(4009)],
  ];
  it.each(interruptions)("N6 resumes after %s and replays what was missed, once and in order", async (_, interrupt) => {
    const { simulator, client } = await connected();
    await say(simulator, "before");
    await until(() => client.texts().length === 1);
    expect(await interrupt(simulator)).toBe(1);
    await say(simulator, "during");
    await until(() => client.count("RESUMED") === 1);
    await say(simulator, "after");
    await until(() => client.texts().length >= 3);
    expect(client.texts()).toEqual(["before", "during", "after"]);
    expect(client.count("READY")).toBe(1);
    expect((await simulator.state()).gateway.identifiesLeft).toBe(999);
  });

  it("N6 makes a client identify anew after op 9 with false", async () => {
    const { simulator, client } = await connected();
    await simulator.faults.invalidateSessions({ resumable: false });
    await until(() => client.count("READY") === 2);
    expect(client.count("RESUMED")).toBe(0);
    expect((await simulator.state()).gateway).toMatchObject({ sessions: 1, identifiesLeft: 998 });
  });

  it("N6 ends a client for good with close code 4004", async () => {
    const { simulator, client } = await connected();
    await simulator.faults.closeSockets(4004, "Authentication failed.");
    await until(() => client.errors.length === 1);
    expect(client.closes).toEqual([4004]);
    expect(client.errors[0]?.message).toMatch(/authentication failed/i);
    expect((await simulator.state()).gateway).toMatchObject({ connections: 0, sessions: 0 });
  });

  it("N6 refuses privileged intents that are not switched on with 4014", async () => {
    const simulator = await start({ privilegedIntents: ["members"] });
    const client = createShardClient(simulator, ALL_INTENTS);
    clients.push(client);
    client.manager.connect().catch(() => undefined);
    await until(() => client.errors.length === 1);
    expect(client.closes).toEqual([4014]);
    expect((await simulator.state()).gateway.identifiesLeft).toBe(1000);
  });

  it("N6 sends only what the intents ask for, and hides the text without the content intent", async () => {
    const intents = GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages;
    const { simulator, client } = await connected({}, intents);
    const message = await say(simulator, "secret");
    await simulator.member("ben").react(message, "👍");
    await simulator.member("ben").setPresence("idle");
    await say(simulator, `hey <@${simulator.application.id}>`);
    await until(() => client.texts().length === 2);
    expect(client.texts()).toEqual(["", `hey <@${simulator.application.id}>`]);
    expect(new Set(client.packets.map(({ t }) => t))).toEqual(new Set(["READY", "GUILD_CREATE", "MESSAGE_CREATE"]));
    expect(client.packets[1]?.d).toMatchObject({ member_count: 5, members: [{ user: { bot: true } }] });
  });

  const { Guilds, GuildMessages, GuildModeration, GuildVoiceStates } = GatewayIntentBits;
  it.each([
    {
      asked: "messages and guilds",
      intents: Guilds | GuildMessages,
      told: [
        "MESSAGE_CREATE",
        "MESSAGE_CREATE",
        "THREAD_CREATE",
        "MESSAGE_CREATE",
        "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
      ],
    },
    {
      asked: "voice and moderation",
      intents: GuildVoiceStates | GuildModeration,
      told: ["VOICE_STATE_UPDATE", "GUILD_AUDIT_LOG_ENTRY_CREATE", "GUILD_AUDIT_LOG_ENTRY_CREATE"],
    },
  ])("N6 H1 tells who asks for $asked of that, in places that the bot sees", async ({ intents, told }) => {
    const { simulator, client } = await connected({}, intents);
    await simulator.addChannel({ name: "lounge", type: "voice" });
    await simulator.addChannel({ name: "secret", deniedToBot: ["ViewChannel"] });
    await simulator.addChannel({ name: "secret lounge", type: "voice", deniedToBot: ["ViewChannel"] });
    const before = new Set(["READY", "GUILD_CREATE", "CHANNEL_CREATE"]);
    const anna = simulator.member("anna");
    const said = [await say(simulator, "one"), await say(simulator, "two")];
    await anna.startThread("secret", "not for the bot");
    await anna.joinVoice("secret lounge");
    await anna.startThread("general", "a thread");
    await anna.joinVoice("lounge", { deafened: true });
    await simulator.member("mod").remove(await say(simulator, "rude"));
    const ids = said.map(({ id }) => id);
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    await rest.post(Routes.channelBulkDelete(said[0]?.channel_id ?? ""), { body: { messages: ids } });
    const packets = () => client.packets.filter(({ t }) => !before.has(t));
    await until(() => packets().length === told.length);
    expect(packets().map(({ t }) => t)).toEqual(told);
    const last = packets().at(-1)?.d;
    expect(last).toMatchObject(intents & GuildModeration ? { action_type: 73, options: { count: "2" } } : { ids });
  });

  it("N6 refuses connections for a while; afterwards the session goes on", async () => {
    const { simulator, client } = await connected();
    await simulator.faults.refuseConnections({ forMs: 400 });
    await expect(fetch(`${simulator.url}/api/v10/gateway`)).rejects.toThrow();
    await say(simulator, "while you were away");
    await until(() => client.count("RESUMED") + client.count("READY") === 2, 20_000);
    expect((await simulator.state()).gateway.connections).toBe(1);
  });

  it("N6 shares guilds out to shards", async () => {
    const simulator = await start({ shards: 2, maxConcurrency: 2 });
    const second = await simulator.addGuild({ name: "Second" });
    const client = createShardClient(simulator);
    clients.push(client);
    const seen = new Map<number, string[]>();
    client.manager.on(WebSocketShardEvents.Dispatch, ({ t, d }, shardId) => {
      if (t === "GUILD_CREATE") {
        seen.set(shardId, [...(seen.get(shardId) ?? []), d.id]);
      }
    });
    await client.manager.connect();
    await until(() => [...seen.values()].flat().length === 2);
    for (const [shardId, guildIds] of seen) {
      expect(guildIds.map((id) => Number((BigInt(id) >> 22n) % 2n))).toEqual(guildIds.map(() => shardId));
    }
    expect([...seen.values()].flat()).toContain(second.id);
  });
});
