import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { contactProperties } from "./contact-properties.js";
import { memberRemoveSchema, memberUpdateSchema } from "./gateway-payloads.js";
import { occurrenceKey } from "./occurrence-key.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/** GUILD_MEMBER_REMOVE → `discord.member_left`: left, kicked or banned, which Discord does not tell apart here. */
export async function transformMemberRemove(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = memberRemoveSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const { guild_id: guildId, user } = parsed.data;
  if (user.bot === true) await context.knownBots.add(user.id);
  if (context.knownBots.has(user.id)) return ignored("bot");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.member_left",
        timestamp: new Date(item.receivedAt),
        idempotencyKey: occurrenceKey("discord.member_left", guildId, user.id, item.key),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: user.id }],
        data: { guildId },
        contactProperties: contactProperties({ user }),
      },
    ],
  };
}

/**
 * GUILD_MEMBER_UPDATE → `discord.member_updated`: roles, nickname and boost as they are now. Discord does not say what
 * was before, and sends it for other changes too. A moderator may have made the change, so it is no sign of life.
 */
export async function transformMemberUpdate(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = memberUpdateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const member = parsed.data;
  const { guild_id: guildId, user } = member;
  if (user.bot === true) await context.knownBots.add(user.id);
  if (context.knownBots.has(user.id)) return ignored("bot");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  const { nick, premium_since: boostingSince } = member;
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.member_updated",
        timestamp: new Date(item.receivedAt),
        idempotencyKey: occurrenceKey("discord.member_updated", guildId, user.id, item.key),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: user.id }],
        data: {
          guildId,
          roles: member.roles,
          ...(nick == null ? {} : { nickname: nick }),
          ...(boostingSince == null ? {} : { boostingSince: new Date(boostingSince).toISOString() }),
        },
        contactProperties: contactProperties({ user, member }),
      },
    ],
  };
}
