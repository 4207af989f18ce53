import type { IngressItem } from "../ingress-contract.js";
import { gapSchema } from "./gateway-payloads.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/** HOOKLINE_GAP → one `discord.gap` for each tenant whose packets may be missing. It has no contact. */
export async function transformGap(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = gapSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const { from, to, reason, guildIds } = parsed.data;
  const guildsByTenant = new Map<string, string[]>();
  // A shard whose guilds are not known: whoever has no server in particular is told.
  const affected = guildIds == null || guildIds.length === 0 ? [null] : guildIds;
  for (const guildId of affected) {
    const tenantId = await context.resolveTenant(guildId);
    if (tenantId === null) continue;
    const guilds = guildsByTenant.get(tenantId) ?? [];
    guildsByTenant.set(tenantId, guildId === null ? guilds : [...guilds, guildId]);
  }
  if (guildsByTenant.size === 0) return ignored(GUILD_NOT_MAPPED);
  return {
    kind: "publish",
    events: [...guildsByTenant].map(([tenantId, guilds]) => ({
      tenantId,
      type: "discord.gap",
      timestamp: new Date(to),
      idempotencyKey: `discord.gap:${item.key}`,
      data: {
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        reason,
        shard: item.shard,
        ...(guilds.length === 0 ? {} : { guildIds: guilds }),
      },
    })),
  };
}
