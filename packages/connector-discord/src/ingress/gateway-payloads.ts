import { z } from "zod";

const snowflake = z.string().regex(/^\d{1,20}$/);
const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "not a time");

const user = z.object({
  id: snowflake,
  username: z.string().nullish(),
  global_name: z.string().nullish(),
  avatar: z.string().nullish(),
  bot: z.boolean().nullish(),
  system: z.boolean().nullish(),
});

const member = z.object({
  user: user.nullish(),
  joined_at: moment.nullish(),
  roles: z.array(snowflake).nullish(),
});

const emoji = z.object({ id: snowflake.nullish(), name: z.string().nullish() });

export const messageCreateSchema = z.object({
  id: snowflake,
  channel_id: snowflake,
  guild_id: snowflake.nullish(),
  type: z.number().int().default(0),
  content: z.string().default(""),
  webhook_id: snowflake.nullish(),
  application_id: snowflake.nullish(),
  author: user,
  member: member.nullish(),
  attachments: z.array(z.unknown()).nullish(),
  sticker_items: z.array(z.unknown()).nullish(),
  message_reference: z.object({ message_id: snowflake.nullish() }).nullish(),
});

/** Discord leaves out what it does not know, such as the author of an old message. */
export const messageUpdateSchema = z.object({
  id: snowflake,
  channel_id: snowflake,
  guild_id: snowflake.nullish(),
  type: z.number().int().default(0),
  content: z.string().nullish(),
  edited_timestamp: moment.nullish(),
  webhook_id: snowflake.nullish(),
  application_id: snowflake.nullish(),
  author: user.nullish(),
  member: member.nullish(),
});

/** One, or several at once. */
export const messageDeleteSchema = z
  .object({
    id: snowflake.optional(),
    ids: z.array(snowflake).min(1).optional(),
    channel_id: snowflake,
    guild_id: snowflake.nullish(),
  })
  .refine(({ id, ids }) => (id === undefined) !== (ids === undefined), "names no message");

export const reactionSchema = z.object({
  user_id: snowflake,
  channel_id: snowflake,
  message_id: snowflake,
  guild_id: snowflake.nullish(),
  member: member.nullish(),
  message_author_id: snowflake.nullish(),
  emoji,
  burst: z.boolean().nullish(),
});

export const memberAddSchema = z.object({
  guild_id: snowflake,
  user,
  joined_at: moment.nullish(),
  roles: z.array(snowflake).nullish(),
});

export const memberRemoveSchema = z.object({ guild_id: snowflake, user });

export const memberUpdateSchema = z.object({
  guild_id: snowflake,
  user,
  roles: z.array(snowflake),
  nick: z.string().nullish(),
  joined_at: moment.nullish(),
  premium_since: moment.nullish(),
});

export const threadCreateSchema = z.object({
  id: snowflake,
  guild_id: snowflake.nullish(),
  parent_id: snowflake.nullish(),
  owner_id: snowflake.nullish(),
  name: z.string().nullish(),
  newly_created: z.boolean().nullish(),
});

export const voiceStateSchema = z.object({
  guild_id: snowflake.nullish(),
  channel_id: snowflake.nullish(),
  user_id: snowflake,
  member: member.nullish(),
  deaf: z.boolean(),
  mute: z.boolean(),
  self_deaf: z.boolean(),
  self_mute: z.boolean(),
  self_stream: z.boolean().nullish(),
  self_video: z.boolean(),
});

export const auditLogEntrySchema = z.object({
  id: snowflake,
  guild_id: snowflake,
  user_id: snowflake.nullish(),
  target_id: z.string().max(100).nullish(),
  action_type: z.number().int(),
  reason: z.string().nullish(),
});

export const presenceSchema = z.object({
  guild_id: snowflake.nullish(),
  user,
  status: z.string().nullish(),
});

export const gapSchema = z.object({
  from: moment,
  to: moment,
  reason: z.string().min(1).max(200),
  guildIds: z.array(snowflake).nullish(),
});

export type GatewayUser = z.infer<typeof user>;
export type GatewayMember = z.infer<typeof member>;
export type GatewayEmoji = z.infer<typeof emoji>;
