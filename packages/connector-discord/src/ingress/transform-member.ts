import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { contactProperties } from "./contact-properties.js";
import { memberAddSchema } from "./gateway-payloads.js";
import { occurrenceKey } from "./occurrence-key.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/** GUILD_MEMBER_ADD → `discord.member_joined`, at `joined_at`. Coming back later is a new join, a repeated packet is not. */
export async function transformMember(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = memberAddSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const member = parsed.data;
  const { user } = member;
  if (user.bot === true) await context.knownBots.add(user.id);
  if (context.knownBots.has(user.id)) return ignored("bot");
  const tenantId = await context.resolveTenant(member.guild_id);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);

  const joinedAt = new Date(member.joined_at ?? item.receivedAt);
  const moment = await context.recentJoins.momentOf(member.guild_id, user.id, joinedAt.getTime());
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.member_joined",
        timestamp: joinedAt,
        idempotencyKey: occurrenceKey("discord.member_joined", member.guild_id, user.id, String(moment)),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: user.id }],
        // Nothing that a repeated packet says otherwise: the event's own time is that of the join.
        data: { guildId: member.guild_id },
        contactProperties: contactProperties({ user, member, seenAt: joinedAt }),
      },
    ],
  };
}
