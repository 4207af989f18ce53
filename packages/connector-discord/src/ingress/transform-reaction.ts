import type { IngestInput } from "@hookline/core";
import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { contactProperties } from "./contact-properties.js";
import { type GatewayEmoji, reactionSchema } from "./gateway-payloads.js";
import { occurrenceKey } from "./occurrence-key.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/**
 * MESSAGE_REACTION_ADD → `discord.reaction_added`, and `discord.reaction_received` for the message's author, if that
 * is somebody else. Discord says no time, so it is when the worker received it; and since a reaction can be taken
 * back and given again, the packet's own key is part of the idempotency key.
 */
export async function transformReactionAdd(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = reactionSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const reaction = parsed.data;
  if (reaction.member?.user?.bot === true) await context.knownBots.add(reaction.user_id);
  if (context.knownBots.has(reaction.user_id)) return ignored("bot");
  if (reaction.guild_id == null) return ignored("direct message");
  const tenantId = await context.resolveTenant(reaction.guild_id);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);

  const receivedAt = new Date(item.receivedAt);
  const authorId = reaction.message_author_id ?? null;
  const data = {
    guildId: reaction.guild_id,
    channelId: reaction.channel_id,
    messageId: reaction.message_id,
    emoji: emojiData(reaction.emoji),
    burst: reaction.burst ?? false,
  };
  const parts = [reaction.message_id, reaction.user_id, emojiKey(reaction.emoji), item.key];
  const added: IngestInput = {
    tenantId,
    type: "discord.reaction_added",
    timestamp: receivedAt,
    idempotencyKey: occurrenceKey("discord.reaction_added", ...parts),
    identities: [{ kind: DISCORD_PROVIDER_ID, value: reaction.user_id }],
    data: authorId === null ? data : { ...data, messageAuthorId: authorId },
    contactProperties: contactProperties({
      user: { id: reaction.user_id, ...reaction.member?.user },
      member: reaction.member,
      seenAt: receivedAt,
    }),
  };
  if (authorId === null || authorId === reaction.user_id || context.knownBots.has(authorId)) {
    return { kind: "ingest", inputs: [added] };
  }
  const received: IngestInput = {
    tenantId,
    type: "discord.reaction_received",
    timestamp: receivedAt,
    idempotencyKey: occurrenceKey("discord.reaction_received", ...parts),
    identities: [{ kind: DISCORD_PROVIDER_ID, value: authorId }],
    data: { ...data, reactedByUserId: reaction.user_id },
    contactProperties: contactProperties({ user: { id: authorId } }),
  };
  return { kind: "ingest", inputs: [added, received] };
}

/** MESSAGE_REACTION_REMOVE → `discord.reaction_removed`. A moderator may have done it, so it is no sign of life. */
export async function transformReactionRemove(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = reactionSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const reaction = parsed.data;
  if (context.knownBots.has(reaction.user_id)) return ignored("bot");
  if (reaction.guild_id == null) return ignored("direct message");
  const tenantId = await context.resolveTenant(reaction.guild_id);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.reaction_removed",
        timestamp: new Date(item.receivedAt),
        idempotencyKey: occurrenceKey(
          "discord.reaction_removed",
          reaction.message_id,
          reaction.user_id,
          emojiKey(reaction.emoji),
          item.key,
        ),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: reaction.user_id }],
        data: {
          guildId: reaction.guild_id,
          channelId: reaction.channel_id,
          messageId: reaction.message_id,
          emoji: emojiData(reaction.emoji),
          burst: reaction.burst ?? false,
        },
        contactProperties: contactProperties({ user: { id: reaction.user_id } }),
      },
    ],
  };
}

function emojiData({ id, name }: GatewayEmoji) {
  return { ...(id == null ? {} : { id }), ...(name == null ? {} : { name }) };
}

/** Two servers' emoji may share a name, so the id comes first. */
function emojiKey({ id, name }: GatewayEmoji): string {
  return id ?? encodeURIComponent(name ?? "");
}
