import {
  ActionRowBuilder,
  AuditLogEvent,
  ButtonBuilder,
  ButtonStyle,
  Client,
  Events,
  GatewayIntentBits,
  type GuildMember,
  type Interaction,
  type Message,
  ModalBuilder,
  Partials,
  SlashCommandBuilder,
  TextInputBuilder,
  TextInputStyle,
} from "discord.js";
import { afterEach, describe, expect, it } from "vitest";
import type { DiscordSimulator } from "../src/index.js";
import { simulatorFactory, until } from "./started-simulator.js";

const {
  Guilds,
  GuildMembers,
  GuildMessages,
  GuildMessageReactions,
  GuildModeration,
  GuildVoiceStates,
  MessageContent,
  GuildPresences,
  DirectMessages,
} = GatewayIntentBits;

describe("an unmodified discord.js Client", () => {
  const start = simulatorFactory();
  const clients: Client[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      await client.destroy();
    }
  });

  async function login(simulator: DiscordSimulator): Promise<Client<true>> {
    const client = new Client({
      intents: [
        Guilds,
        GuildMembers,
        GuildMessages,
        GuildMessageReactions,
        GuildModeration,
        GuildVoiceStates,
        MessageContent,
        GuildPresences,
        DirectMessages,
      ],
      partials: [Partials.Channel],
      rest: { api: `${simulator.url}/api` },
    });
    clients.push(client);
    const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
    await client.login(simulator.application.botToken);
    return ready;
  }

  it("N6 logs in and sees the guild with its channels, roles and members", async () => {
    const simulator = await start();
    const client = await login(simulator);

    const guild = client.guilds.cache.first();
    expect(guild?.name).toBe("Hookline Community");
    expect(guild?.channels.cache.map(({ name }) => name)).toEqual(["general", "support", "ops"]);
    expect(guild?.roles.cache.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["@everyone", "Verified", "Moderator"]),
    );
    const members = await guild?.members.fetch();
    expect(members?.map(({ user }) => user.username).sort()).toEqual(["Hookline", "anna", "ben", "mod", "owner"]);
  });

  it("N6 receives what members say, how they react, who joins, and sends a message itself", async () => {
    const simulator = await start();
    const client = await login(simulator);
    const said: Message[] = [];
    const reactions: string[] = [];
    const joined: GuildMember[] = [];
    client.on(Events.MessageCreate, (message) => said.push(message));
    client.on(Events.MessageReactionAdd, (reaction, user) => reactions.push(`${reaction.emoji.name} ${user.id}`));
    client.on(Events.GuildMemberAdd, (member) => joined.push(member));

    const message = await simulator.member("anna").say("#general", "Hello there");
    await simulator.member("ben").react(message, "👍");
    await simulator.addMember({ username: "carl", joined: false });
    await simulator.member("carl").join();
    await until(() => said.length === 2 && reactions.length === 1 && joined.length === 1);

    expect(said[0]).toMatchObject({ content: "Hello there", id: message.id });
    expect(said[0]?.member?.displayName).toBe("Anna");
    expect(said[1]?.system).toBe(true);
    expect(joined[0]?.user.username).toBe("carl");

    await said[0]?.reply({ content: "Hi Anna", allowedMentions: { parse: [] } });
    const answer = await simulator.waitForMessage(({ content }) => content === "Hi Anna");
    expect(answer).toMatchObject({
      channel_name: "general",
      author: { bot: true },
      message_reference: { message_id: message.id },
    });
  });

  it("N6 H1 hears of threads, voice channels, moderation and bulk deletions, and reads the audit log", async () => {
    const simulator = await start();
    const { id: lounge } = await simulator.addChannel({ name: "lounge", type: "voice" });
    const client = await login(simulator);
    const heard: string[] = [];
    client.on(Events.ThreadCreate, ({ name, ownerId, parent }) => {
      heard.push(`thread ${name} below ${parent?.name} of ${nameOf(ownerId)}`);
    });
    client.on(Events.VoiceStateUpdate, (before, { channelId, selfMute, member }) => {
      heard.push(`voice ${member?.displayName} ${before.channelId === channelId} ${channelId === lounge} ${selfMute}`);
    });
    client.on(Events.GuildAuditLogEntryCreate, ({ action, executorId, targetId, reason }) => {
      heard.push(`log ${AuditLogEvent[action]} ${nameOf(executorId)} ${nameOf(targetId)} ${reason}`);
    });
    client.on(Events.MessageBulkDelete, (messages, channel) => {
      heard.push(`gone ${messages.map(({ content }) => content).join()} in ${channel.id === general?.id}`);
    });
    const { members = [] } = (await simulator.state()).guilds[0] ?? {};
    const nameOf = (id: string | null | undefined) => members.find((member) => member.id === id)?.username ?? "other";
    const guild = client.guilds.cache.first();
    const general = guild?.channels.cache.find((channel) => channel.name === "general");
    if (!guild || !general?.isTextBased() || general.isThread()) throw new Error("general is no text channel");

    const anna = simulator.member("anna");
    const [first, second] = [await anna.say("general", "one"), await anna.say("general", "two")];
    const { id: thread } = await anna.startThread("general", "My trouble", { message: first, text: "Look" });
    expect(thread).toBe(first.id);
    await anna.joinVoice("lounge");
    await anna.joinVoice("lounge", { muted: true });
    await anna.leave();
    await simulator.member("mod").kick("ben", { reason: "rude" });
    await until(() => heard.length === 5);
    await general.bulkDelete([first.id, second.id]);
    await until(() => heard.length === 7);
    expect(heard.slice(0, 5)).toEqual([
      "thread My trouble below general of anna",
      "voice Anna false true false",
      "voice Anna true true true",
      "voice Anna false false true",
      "log MemberKick mod ben rude",
    ]);
    expect(heard.slice(5)).toEqual(["gone one,two in true", "log MessageBulkDelete Hookline other null"]);

    const log = await guild.fetchAuditLogs({ type: AuditLogEvent.MemberKick });
    expect(log.entries.map(({ target, reason }) => [target?.username, reason])).toEqual([["ben", "rude"]]);
    await expect(general.bulkDelete([first.id, "1"])).rejects.toMatchObject({ code: 50034 });
    await expect(simulator.member("anna").joinVoice("lounge")).rejects.toMatchObject({ code: "not_a_member" });
    await expect(simulator.member("mod").kick("owner")).rejects.toMatchObject({ code: "not_permitted" });
    await simulator.member("mod").joinVoice("lounge");
    const later = await login(simulator);
    expect(later.guilds.cache.first()?.voiceStates.cache.map(({ channelId }) => channelId)).toEqual([lounge]);
  });

  it("N6 registers a command and answers it with a modal, a button and an edit over the Gateway", async () => {
    const simulator = await start();
    const client = await login(simulator);
    await client.application.commands.create(
      new SlashCommandBuilder()
        .setName("ticket")
        .setDescription("Open a ticket")
        .addStringOption((option) => option.setName("kind").setDescription("What kind").setRequired(true)),
    );
    client.on(Events.InteractionCreate, (interaction) => {
      answerTicket(interaction).catch((error: unknown) => client.emit(Events.Error, error as Error));
    });

    const ticket = await simulator.member("anna").slash("ticket", { kind: "bug" }, { channel: "#support" });
    expect(ticket.modal).toMatchObject({
      title: "New bug",
      fields: [{ label: "Title", kind: "text", required: true }],
    });
    const submitted = await ticket.submitModal({ Title: "It is broken" });
    const reply = await submitted.reply();
    expect(reply).toMatchObject({ content: "Opened: It is broken", ephemeral: true, channel_name: "support" });

    const closed = await submitted.click("Close");
    expect(closed.answer).toBe("update");
    expect(await closed.reply()).toMatchObject({ id: reply.id, content: "Closed", components: [] });
    await expect(simulator.member("ben").click(reply, "Close")).rejects.toMatchObject({ code: "unknown_message" });
  });

  it("N6 sends a direct message, which the person reads and answers", async () => {
    const simulator = await start();
    const client = await login(simulator);
    const anna = client.users.cache.find(({ username }) => username === "anna") ?? (await fetchAnna(client));
    const received: Message[] = [];
    client.on(Events.MessageCreate, (message) => {
      if (!message.author.bot) {
        received.push(message);
      }
    });

    await anna.send("Only for you");
    expect((await simulator.member("anna").messages("@bot")).map(({ content }) => content)).toEqual(["Only for you"]);
    await simulator.member("anna").say("@bot", "Thank you");
    await until(() => received.length === 1);
    expect(received[0]?.channel.isDMBased()).toBe(true);
  });

  it("N6 is refused with a wrong token", async () => {
    const simulator = await start();
    const client = new Client({ intents: [Guilds], rest: { api: `${simulator.url}/api` } });
    clients.push(client);
    await expect(client.login("not.the.token")).rejects.toThrow(/invalid token/i);
  });
});

async function fetchAnna(client: Client<true>) {
  const members = await client.guilds.cache.first()?.members.fetch();
  const anna = members?.find(({ user }) => user.username === "anna");
  if (!anna) {
    throw new Error("anna is missing");
  }
  return anna.user;
}

async function answerTicket(interaction: Interaction): Promise<void> {
  if (interaction.isChatInputCommand()) {
    const title = new TextInputBuilder().setCustomId("title").setLabel("Title").setStyle(TextInputStyle.Short);
    await interaction.showModal(
      new ModalBuilder()
        .setCustomId("ticket")
        .setTitle(`New ${interaction.options.getString("kind", true)}`)
        .addComponents(new ActionRowBuilder<TextInputBuilder>().addComponents(title)),
    );
  } else if (interaction.isModalSubmit()) {
    await interaction.deferReply({ flags: "Ephemeral" });
    const close = new ButtonBuilder().setCustomId("close").setLabel("Close").setStyle(ButtonStyle.Danger);
    await interaction.editReply({
      content: `Opened: ${interaction.fields.getTextInputValue("title")}`,
      components: [new ActionRowBuilder<ButtonBuilder>().addComponents(close)],
    });
  } else if (interaction.isButton()) {
    await interaction.update({ content: "Closed", components: [] });
  }
}
