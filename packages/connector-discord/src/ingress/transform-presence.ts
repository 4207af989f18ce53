import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { contactProperties } from "./contact-properties.js";
import { presenceSchema } from "./gateway-payloads.js";
import { occurrenceKey } from "./occurrence-key.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

const ACTIVE: ReadonlySet<string> = new Set(["online", "idle", "dnd"]);

/** PRESENCE_UPDATE → `discord.presence_active`, whatever kind of active; offline and unknown states are dropped. */
export async function transformPresence(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = presenceSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const { user, status, guild_id: guildId } = parsed.data;
  if (user.bot === true) await context.knownBots.add(user.id);
  if (context.knownBots.has(user.id)) return ignored("bot");
  if (status == null || !ACTIVE.has(status)) return ignored("offline");
  if (guildId == null) return ignored("direct message");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);

  const receivedAt = new Date(item.receivedAt);
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.presence_active",
        timestamp: receivedAt,
        idempotencyKey: occurrenceKey("discord.presence_active", guildId, user.id, item.key),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: user.id }],
        data: { guildId },
        contactProperties: contactProperties({ user, seenAt: receivedAt }),
      },
    ],
  };
}
