import { createHash } from "node:crypto";
import { PermissionFlagsBits } from "discord-api-types/v10";
import nacl from "tweetnacl";
import { snowflakeAt } from "../snowflake.js";
import type { GuildState, MemberState, World } from "./model.js";
import { derive, makeChannel, makeRole, makeUser } from "./records.js";

const P = PermissionFlagsBits;
const EVERYONE =
  P.ViewChannel |
  P.SendMessages |
  P.EmbedLinks |
  P.ReadMessageHistory |
  P.AddReactions |
  P.UseApplicationCommands |
  P.SendMessagesInThreads |
  P.CreatePublicThreads |
  P.Connect |
  P.Speak;
const BOT = EVERYONE | P.ManageRoles | P.ManageWebhooks | P.ManageMessages | P.ViewAuditLog;
const MODERATOR = EVERYONE | P.ManageGuild | P.ManageMessages | P.KickMembers;

/** The moment that the seeded world is said to come from: its ids are the same at every start. */
const SEEDED_AT_MS = 1_735_689_600_000n;

export interface WorldSeed {
  readonly seed: string;
  readonly applicationName: string;
  readonly botToken?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly privilegedIntents: number;
  readonly redirectUris: readonly string[];
}

/** One guild with three channels, three roles, the bot and three members. */
export function createDefaultWorld(options: WorldSeed): World {
  const ids = seededIds();
  const applicationId = ids();
  const guildId = ids();
  const keys = nacl.sign.keyPair.fromSeed(createHash("sha256").update(`${options.seed}:interactions`).digest());
  const bot = makeUser({ id: applicationId, username: options.applicationName, bot: true });
  const createdAt = new Date(Number(SEEDED_AT_MS)).toISOString();

  const roles = [
    makeRole({ id: guildId, name: "@everyone", position: 0, permissions: EVERYONE }),
    makeRole({ id: ids(), name: "Verified", position: 1, permissions: 0n, color: 0x57f287 }),
    makeRole({ id: ids(), name: "Moderator", position: 2, permissions: MODERATOR, color: 0xe67e22 }),
    makeRole({ id: ids(), name: options.applicationName, position: 3, permissions: BOT, botId: applicationId }),
  ];
  const channels = ["general", "support", "ops"].map((name, position) =>
    makeChannel({ id: ids(), guildId, name, position, createdAt, topic: TOPICS[name] ?? null }),
  );
  const people = [
    makeUser({ id: ids(), username: "anna", globalName: "Anna" }),
    makeUser({ id: ids(), username: "ben", globalName: "Ben" }),
    makeUser({ id: ids(), username: "mod", globalName: "Mo (moderator)" }),
  ];
  const ownerId = ids();
  const owner = makeUser({ id: ownerId, username: "owner", globalName: "Olga" });
  const roleNamed = (name: string) => roles.find((role) => role.name === name)?.id ?? guildId;
  const members = [bot, ...people, owner].map((user): MemberState => {
    const role = user === bot ? options.applicationName : user.username === "mod" ? "Moderator" : null;
    return { user, nick: null, roles: role ? [roleNamed(role)] : [], joinedAt: createdAt };
  });
  const guild: GuildState = {
    id: guildId,
    name: "Hookline Community",
    ownerId,
    createdAt,
    systemChannelId: channels[0]?.id ?? null,
    roles: new Map(roles.map((role) => [role.id, role])),
    channels: new Map(channels.map((channel) => [channel.id, channel])),
    members: new Map(members.map((member) => [member.user.id, member])),
    emojis: new Map(),
    voice: new Map(),
    auditLog: [],
  };
  const emojiId = ids();
  guild.emojis.set(emojiId, { id: emojiId, name: "hookline", roles: [], animated: false, available: true });

  return {
    application: {
      id: applicationId,
      name: options.applicationName,
      publicKeyHex: Buffer.from(keys.publicKey).toString("hex"),
      secretKey: keys.secretKey,
      botToken: options.botToken ?? derivedToken(applicationId, options.seed),
      clientSecret: options.clientSecret ?? derive(options.seed, "client-secret").slice(0, 32),
      bot,
      interactionsUrl: null,
      redirectUris: options.redirectUris,
      privilegedIntents: options.privilegedIntents,
      webhookEventsUrl: null,
      webhookEventTypes: [],
      roleConnectionsVerificationUrl: null,
      roleConnectionMetadata: [],
    },
    users: new Map(
      members.map(({ user }) => [
        user.id,
        {
          user,
          email: user.bot ? null : `${user.username}@example.com`,
          presence: { status: user.bot ? "offline" : "online", activities: [] },
        },
      ]),
    ),
    guilds: new Map([[guildId, guild]]),
    channels: new Map(channels.map((channel) => [channel.id, channel])),
    commands: new Map(),
    webhooks: new Map(),
    closedToBot: new Set(),
  };
}

const TOPICS: Readonly<Record<string, string>> = {
  general: "Say hello.",
  support: "Tickets land here.",
  ops: "Machines ask for approval here.",
};

function seededIds(): () => string {
  let counter = 0n;
  return () => {
    counter += 1n;
    return snowflakeAt(SEEDED_AT_MS, counter);
  };
}

function derivedToken(applicationId: string, seed: string): string {
  const id = Buffer.from(applicationId).toString("base64url");
  const secret = derive(seed, "bot-token");
  return `${id}.${secret.slice(0, 6)}.${secret.slice(6, 44)}`;
}
