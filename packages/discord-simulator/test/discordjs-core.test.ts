import { API, Client, GatewayDispatchEvents, GatewayIntentBits, MessageFlags } from "@discordjs/core";
import { REST } from "@discordjs/rest";
import { WebSocketManager } from "@discordjs/ws";
import { afterEach, describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory } from "./started-simulator.js";

describe("an unmodified @discordjs/core client", () => {
  const start = simulatorFactory();
  const gateways: WebSocketManager[] = [];
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) {
      await gateway.destroy();
    }
  });

  async function connect(simulator: DiscordSimulator): Promise<Client> {
    const rest = new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken);
    const gateway = new WebSocketManager({
      token: simulator.application.botToken,
      intents: GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent,
      rest,
    });
    gateways.push(gateway);
    const client = new Client({ rest, gateway });
    const ready = new Promise<void>((resolve) => client.once(GatewayDispatchEvents.Ready, () => resolve()));
    await gateway.connect();
    await ready;
    return client;
  }

  it("N6 hears what is said, and answers it", async () => {
    const simulator = await start();
    const client = await connect(simulator);
    client.on(GatewayDispatchEvents.MessageCreate, async ({ data, api }) => {
      if (data.author.bot) {
        return;
      }
      await api.channels.createMessage(data.channel_id, { content: `You said: ${data.content}` });
      await api.channels.addMessageReaction(data.channel_id, data.id, "👍");
    });
    const said = await simulator.member("anna").say("#general", "hello");
    await simulator.waitForMessage(({ content }) => content === "You said: hello");
    const reacted = await simulator.waitForMessage(({ id, reactions }) => id === said.id && reactions !== undefined);
    expect(reacted.reactions).toMatchObject([{ emoji: { name: "👍" }, count: 1 }]);
  });

  it("N6 registers a command and answers it over the Gateway, first with a deferral", async () => {
    const simulator = await start();
    const client = await connect(simulator);
    const { id } = simulator.application;
    await client.api.applicationCommands.createGlobalCommand(id, { name: "ping", description: "Answers" });
    client.on(GatewayDispatchEvents.InteractionCreate, async ({ data, api }) => {
      await api.interactions.defer(data.id, data.token, { flags: MessageFlags.Ephemeral });
      await api.interactions.editReply(data.application_id, data.token, { content: "pong" });
      await api.interactions.followUp(data.application_id, data.token, { content: "and more" });
    });
    const ping = await simulator.member("ben").slash("ping");
    expect(ping.answer).toBe("deferred");
    expect(await ping.reply()).toMatchObject({ content: "pong", ephemeral: true });
    await expect.poll(async () => (await ping.followUps()).map(({ content }) => content)).toEqual(["and more"]);
  });

  it("N6 gives and takes roles, and reads members, by REST alone", async () => {
    const simulator = await start();
    const { guilds } = await simulator.state();
    const guild = guilds[0];
    const memberId = guild?.members.find(({ username }) => username === "anna")?.id ?? "";
    const roleId = guild?.roles.find(({ name }) => name === "Verified")?.id ?? "";
    const guildId = guild?.id ?? "";
    const api = new API(new REST({ api: `${simulator.url}/api` }).setToken(simulator.application.botToken));
    await api.guilds.addRoleToMember(guildId, memberId, roleId);
    expect((await api.guilds.getMember(guildId, memberId)).roles).toEqual([roleId]);
    await api.guilds.removeRoleFromMember(guildId, memberId, roleId);
    expect(await simulator.rolesOf("anna")).toEqual([]);
  });
});
