import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { snowflakeTimeMs } from "../snowflake.js";
import { contactProperties } from "./contact-properties.js";
import { messageCreateSchema } from "./gateway-payloads.js";
import { senderOf } from "./sender.js";
import { malformed, placeOf, type TransformContext, type Transformed } from "./transformed.js";

/** MESSAGE_CREATE → `discord.message_sent`, at the time that the message's id carries. */
export async function transformMessage(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = messageCreateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const message = parsed.data;
  const { author } = message;
  const sender = await senderOf(message, author, context);
  if (sender.kind === "ignored") return sender;
  const place = await placeOf(message, context);
  if (place.kind === "ignored") return place;

  const sentAt = new Date(snowflakeTimeMs(message.id));
  const repliedTo = message.message_reference?.message_id;
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId: place.tenantId,
        type: "discord.message_sent",
        timestamp: sentAt,
        idempotencyKey: `discord.message_sent:${message.id}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: author.id }],
        data: {
          ...place.data,
          messageId: message.id,
          ...sender.data,
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
