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
  author: user,
  member: member.nullish(),
  attachments: z.array(z.unknown()).nullish(),
  sticker_items: z.array(z.unknown()).nullish(),
  message_reference: z.object({ message_id: snowflake.nullish() }).nullish(),
});

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
