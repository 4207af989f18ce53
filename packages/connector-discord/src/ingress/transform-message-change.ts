import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { contactProperties } from "./contact-properties.js";
import { messageDeleteSchema, messageUpdateSchema } from "./gateway-payloads.js";
import { senderOf } from "./sender.js";
import { ignored, malformed, placeOf, type TransformContext, type Transformed } from "./transformed.js";

/**
 * MESSAGE_UPDATE → `discord.message_edited`, at the time of the edit. Discord sends it as well when a link gets its
 * preview or a message is pinned: then the time of the edit is missing or known, and it is noise or a duplicate.
 */
export async function transformMessageUpdate(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = messageUpdateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const message = parsed.data;
  const { author, edited_timestamp: edited } = message;
  if (author == null || edited == null) return ignored("no edit");
  const sender = await senderOf(message, author, context);
  if (sender.kind === "ignored") return sender;
  const place = await placeOf(message, context);
  if (place.kind === "ignored") return place;

  const editedAt = new Date(edited);
  const content = message.content ?? "";
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId: place.tenantId,
        type: "discord.message_edited",
        timestamp: editedAt,
        idempotencyKey: `discord.message_edited:${message.id}:${editedAt.getTime()}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: author.id }],
        data: {
          ...place.data,
          messageId: message.id,
          ...sender.data,
          hasContent: content !== "",
          ...(context.storeMessageText && content !== "" ? { text: content } : {}),
        },
        contactProperties: contactProperties({ user: author, member: message.member, seenAt: editedAt }),
      },
    ],
  };
}

/**
 * MESSAGE_DELETE and MESSAGE_DELETE_BULK → `discord.message_deleted`, one for each message. Discord tells neither who
 * wrote it nor who deleted it, so it has no contact.
 */
export async function transformMessageDelete(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = messageDeleteSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const place = await placeOf(parsed.data, context);
  if (place.kind === "ignored") return place;
  const { id, ids } = parsed.data;
  return {
    kind: "publish",
    events: (ids ?? (id === undefined ? [] : [id])).map((messageId) => ({
      tenantId: place.tenantId,
      type: "discord.message_deleted",
      timestamp: new Date(item.receivedAt),
      idempotencyKey: `discord.message_deleted:${messageId}`,
      data: { ...place.data, messageId },
    })),
  };
}
