import { GatewayIntentBits as I } from "discord-api-types/v10";

/** Which intents (any of them) let an event through: in guilds, and in direct messages. Absent: always sent. */
const NEEDED: Readonly<Record<string, { readonly guild: number; readonly direct: number }>> = {
  GUILD_CREATE: { guild: I.Guilds, direct: 0 },
  GUILD_UPDATE: { guild: I.Guilds, direct: 0 },
  GUILD_DELETE: { guild: I.Guilds, direct: 0 },
  GUILD_ROLE_CREATE: { guild: I.Guilds, direct: 0 },
  CHANNEL_CREATE: { guild: I.Guilds, direct: I.DirectMessages },
  CHANNEL_UPDATE: { guild: I.Guilds, direct: 0 },
  CHANNEL_DELETE: { guild: I.Guilds, direct: 0 },
  THREAD_CREATE: { guild: I.Guilds, direct: 0 },
  GUILD_MEMBER_ADD: { guild: I.GuildMembers, direct: 0 },
  GUILD_MEMBER_UPDATE: { guild: I.GuildMembers, direct: 0 },
  GUILD_MEMBER_REMOVE: { guild: I.GuildMembers, direct: 0 },
  PRESENCE_UPDATE: { guild: I.GuildPresences, direct: 0 },
  WEBHOOKS_UPDATE: { guild: I.GuildWebhooks, direct: 0 },
  MESSAGE_CREATE: { guild: I.GuildMessages, direct: I.DirectMessages },
  MESSAGE_UPDATE: { guild: I.GuildMessages, direct: I.DirectMessages },
  MESSAGE_DELETE: { guild: I.GuildMessages, direct: I.DirectMessages },
  MESSAGE_DELETE_BULK: { guild: I.GuildMessages, direct: 0 },
  VOICE_STATE_UPDATE: { guild: I.GuildVoiceStates, direct: 0 },
  GUILD_AUDIT_LOG_ENTRY_CREATE: { guild: I.GuildModeration, direct: 0 },
  MESSAGE_REACTION_ADD: { guild: I.GuildMessageReactions, direct: I.DirectMessageReactions },
  MESSAGE_REACTION_REMOVE: { guild: I.GuildMessageReactions, direct: I.DirectMessageReactions },
};

const KNOWN = Object.values(I).reduce<number>((all, bit) => (typeof bit === "number" ? all | bit : all), 0);

export const PRIVILEGED_INTENTS = {
  members: I.GuildMembers,
  presences: I.GuildPresences,
  messageContent: I.MessageContent,
} as const;

export function isKnownIntents(intents: unknown): intents is number {
  return typeof intents === "number" && Number.isInteger(intents) && intents >= 0 && (intents & ~KNOWN) === 0;
}

export function intentsAllow(intents: number, type: string, inGuild: boolean): boolean {
  const needed = NEEDED[type];
  return needed === undefined || (intents & (inGuild ? needed.guild : needed.direct)) !== 0;
}
