import { defineEvent } from "@hookline/core";
import { z } from "zod";

const id = z.string().regex(/^\d{1,20}$/);
const moment = z.iso.datetime();
const emoji = z.object({ id: id.optional(), name: z.string().optional() });

const GUILD = "200000000000000001";
const CHANNEL = "300000000000000001";
const MESSAGE = "700000000000000001";

/** In a server, or a direct message, of which there are only by opt-in. */
const place = { guildId: id.optional(), direct: z.literal(true).optional(), channelId: id };
/** Absent for people; the others are there by opt-in only. */
const sender = z.enum(["bot", "webhook", "system"]).optional();
const text = { hasContent: z.boolean(), text: z.string().optional() };

const messageSent = defineEvent({
  type: "discord.message_sent",
  schema: z.object({
    ...place,
    messageId: id,
    sender,
    ...text,
    attachmentCount: z.number().int(),
    repliedToMessageId: id.optional(),
  }),
  description: "Somebody wrote a message or a reply. Its text is there by opt-in only.",
  example: { guildId: GUILD, channelId: CHANNEL, messageId: MESSAGE, hasContent: true, attachmentCount: 0 },
});

const messageEdited = defineEvent({
  type: "discord.message_edited",
  schema: z.object({ ...place, messageId: id, sender, ...text }),
  description: "Somebody edited a message, at the time of the edit.",
  example: { guildId: GUILD, channelId: CHANNEL, messageId: MESSAGE, hasContent: true },
});

const messageDeleted = defineEvent({
  type: "discord.message_deleted",
  schema: z.object({ ...place, messageId: id }),
  description: "A message is gone. Discord says neither whose it was nor who deleted it.",
  example: { guildId: GUILD, channelId: CHANNEL, messageId: MESSAGE },
});

const reaction = { guildId: id, channelId: id, messageId: id, emoji, burst: z.boolean() };
const reactionExample = {
  guildId: GUILD,
  channelId: CHANNEL,
  messageId: MESSAGE,
  emoji: { name: "👍" },
  burst: false,
};

const reactionAdded = defineEvent({
  type: "discord.reaction_added",
  schema: z.object({ ...reaction, messageAuthorId: id.optional() }),
  description: "Somebody reacted to a message.",
  example: { ...reactionExample, messageAuthorId: "400000000000000002" },
});

const reactionReceived = defineEvent({
  type: "discord.reaction_received",
  schema: z.object({ ...reaction, reactedByUserId: id }),
  description: "Somebody else reacted to the message of this person.",
  example: { ...reactionExample, reactedByUserId: "400000000000000001" },
});

const reactionRemoved = defineEvent({
  type: "discord.reaction_removed",
  schema: z.object(reaction),
  description: "A reaction was taken back, by this person or by a moderator.",
  example: reactionExample,
});

const memberJoined = defineEvent({
  type: "discord.member_joined",
  schema: z.object({ guildId: id }),
  description: "Somebody joined a server; coming back is a new join.",
  example: { guildId: GUILD },
});

const memberLeft = defineEvent({
  type: "discord.member_left",
  schema: z.object({ guildId: id }),
  description: "Somebody left a server, or had to.",
  example: { guildId: GUILD },
});

const memberUpdated = defineEvent({
  type: "discord.member_updated",
  schema: z.object({
    guildId: id,
    roles: z.array(id),
    nickname: z.string().optional(),
    boostingSince: moment.optional(),
  }),
  description: "A member's roles, nickname or boost changed, or something else of it: what they are now.",
  example: {
    guildId: GUILD,
    roles: ["500000000000000001"],
    nickname: "Anna",
    boostingSince: "2026-01-15T10:30:00.000Z",
  },
});

const presenceActive = defineEvent({
  type: "discord.presence_active",
  schema: z.object({ guildId: id }),
  description: "Somebody is online, idle or busy.",
  example: { guildId: GUILD },
});

const threadCreated = defineEvent({
  type: "discord.thread_created",
  schema: z.object({ guildId: id, threadId: id, channelId: id.optional(), name: z.string().optional() }),
  description: "Somebody opened a thread in a channel. Its name is there by opt-in only.",
  example: { guildId: GUILD, threadId: "310000000000000001", channelId: CHANNEL },
});

const voiceStateChanged = defineEvent({
  type: "discord.voice_state_changed",
  schema: z.object({
    guildId: id,
    channelId: id.optional(),
    muted: z.boolean(),
    deafened: z.boolean(),
    streaming: z.boolean(),
    video: z.boolean(),
  }),
  description: "Somebody joined, changed or left a voice channel, or is heard otherwise. Without a channel: left.",
  example: { guildId: GUILD, channelId: CHANNEL, muted: false, deafened: false, streaming: false, video: false },
});

const auditLogEntry = defineEvent({
  type: "discord.audit_log_entry",
  schema: z.object({
    guildId: id,
    entryId: id,
    action: z.number().int(),
    targetId: z.string().optional(),
    reason: z.string().optional(),
  }),
  description: "Somebody did what Discord's audit log records; `action` is Discord's number of it.",
  example: { guildId: GUILD, entryId: "800000000000000001", action: 20, targetId: "400000000000000002" },
});

const gap = defineEvent({
  type: "discord.gap",
  schema: z.object({
    from: moment,
    to: moment,
    reason: z.string(),
    shard: z.number().int(),
    guildIds: z.array(id).optional(),
  }),
  description: "Discord did not continue a session: between these two moments packets may be missing.",
  example: {
    from: "2026-01-15T10:30:00.000Z",
    to: "2026-01-15T10:35:00.000Z",
    reason: "session_invalid",
    shard: 0,
    guildIds: [GUILD],
  },
});

/**
 * The events that the ingress makes of Discord's packets, with the schema of their data and an example each. For
 * `createDispatcher({ events: [...yours, ...discordEvents] })`.
 */
export const discordEvents = [
  messageSent,
  messageEdited,
  messageDeleted,
  reactionAdded,
  reactionReceived,
  reactionRemoved,
  memberJoined,
  memberLeft,
  memberUpdated,
  presenceActive,
  threadCreated,
  voiceStateChanged,
  auditLogEntry,
  gap,
] as const;
