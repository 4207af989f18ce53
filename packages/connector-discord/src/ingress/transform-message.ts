import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { snowflakeTimeMs } from "../snowflake.js";
import { contactProperties } from "./contact-properties.js";
import { messageCreateSchema } from "./gateway-payloads.js";
import { ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/** What people write is a message of its own or a reply; all other types are the system's words. */
const PEOPLES_TYPES: ReadonlySet<number> = new Set([0, 19]);

/** MESSAGE_CREATE → `discord.message_sent`, at the time that the message's id carries. */
export async function transformMessage(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = messageCreateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const message = parsed.data;
  const { author } = message;
  if (author.bot === true || message.webhook_id != null) {
    context.knownBots.add(author.id);
    return ignored("bot");
  }
  if (author.system === true || !PEOPLES_TYPES.has(message.type)) return ignored("system");
  if (message.guild_id == null) return ignored("direct message");
  const tenantId = await context.resolveTenant(message.guild_id);
  if (tenantId === null) return ignored("tenant");

  const sentAt = new Date(snowflakeTimeMs(message.id));
  const repliedTo = message.message_reference?.message_id;
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.message_sent",
        timestamp: sentAt,
        idempotencyKey: `discord.message_sent:${message.id}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: author.id }],
        data: {
          guildId: message.guild_id,
          channelId: message.channel_id,
          messageId: message.id,
          hasContent: message.content !== "",
          attachmentCount: message.attachments?.length ?? 0,
          ...(repliedTo == null ? {} : { repliedToMessageId: repliedTo }),
          ...(context.storeMessageText && message.content !== "" ? { text: message.content } : {}),
        },
        contactProperties: contactProperties({ user: author, member: message.member, seenAt: sentAt }),
      },
    ],
  };
}
