import type { IngressItem } from "../ingress-contract.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { snowflakeTimeMs } from "../snowflake.js";
import { contactProperties } from "./contact-properties.js";
import { auditLogEntrySchema, threadCreateSchema, voiceStateSchema } from "./gateway-payloads.js";
import { occurrenceKey } from "./occurrence-key.js";
import { GUILD_NOT_MAPPED, ignored, malformed, type TransformContext, type Transformed } from "./transformed.js";

/** THREAD_CREATE → `discord.thread_created`, at the time of the thread's id. Threads that only became visible are dropped. */
export async function transformThread(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = threadCreateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const thread = parsed.data;
  const { guild_id: guildId, owner_id: ownerId, parent_id: parentId } = thread;
  if (thread.newly_created !== true || ownerId == null || guildId == null) return ignored("not new");
  if (context.knownBots.has(ownerId)) return ignored("bot");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  const createdAt = new Date(snowflakeTimeMs(thread.id));
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.thread_created",
        timestamp: createdAt,
        idempotencyKey: `discord.thread_created:${thread.id}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: ownerId }],
        data: {
          guildId,
          threadId: thread.id,
          ...(parentId == null ? {} : { channelId: parentId }),
          ...(context.storeMessageText && thread.name != null ? { name: thread.name } : {}),
        },
        contactProperties: contactProperties({ user: { id: ownerId }, seenAt: createdAt }),
      },
    ],
  };
}

/** VOICE_STATE_UPDATE → `discord.voice_state_changed`: where the member is now, and whether it is heard. No channel: left. */
export async function transformVoiceState(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = voiceStateSchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const voice = parsed.data;
  const { guild_id: guildId, user_id: userId, channel_id: channelId, member } = voice;
  if (member?.user?.bot === true) await context.knownBots.add(userId);
  if (context.knownBots.has(userId)) return ignored("bot");
  if (guildId == null) return ignored("direct message");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  const receivedAt = new Date(item.receivedAt);
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.voice_state_changed",
        timestamp: receivedAt,
        idempotencyKey: occurrenceKey("discord.voice_state_changed", guildId, userId, item.key),
        identities: [{ kind: DISCORD_PROVIDER_ID, value: userId }],
        data: {
          guildId,
          ...(channelId == null ? {} : { channelId }),
          muted: voice.mute || voice.self_mute,
          deafened: voice.deaf || voice.self_deaf,
          streaming: voice.self_stream ?? false,
          video: voice.self_video,
        },
        contactProperties: contactProperties({ user: { id: userId, ...member?.user }, member, seenAt: receivedAt }),
      },
    ],
  };
}

/**
 * GUILD_AUDIT_LOG_ENTRY_CREATE → `discord.audit_log_entry`, at the time of the entry's id, of whoever did it. Entries of
 * Discord itself and of bots are dropped.
 */
export async function transformAuditLogEntry(item: IngressItem, context: TransformContext): Promise<Transformed> {
  const parsed = auditLogEntrySchema.safeParse(item.d);
  if (!parsed.success) return malformed(item.type, parsed.error);
  const entry = parsed.data;
  const { guild_id: guildId, user_id: userId, target_id: targetId } = entry;
  if (userId == null) return ignored("system");
  if (context.knownBots.has(userId)) return ignored("bot");
  const tenantId = await context.resolveTenant(guildId);
  if (tenantId === null) return ignored(GUILD_NOT_MAPPED);
  const loggedAt = new Date(snowflakeTimeMs(entry.id));
  return {
    kind: "ingest",
    inputs: [
      {
        tenantId,
        type: "discord.audit_log_entry",
        timestamp: loggedAt,
        idempotencyKey: `discord.audit_log_entry:${entry.id}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: userId }],
        data: {
          guildId,
          entryId: entry.id,
          action: entry.action_type,
          ...(targetId == null ? {} : { targetId }),
          ...(context.storeMessageText && entry.reason != null ? { reason: entry.reason } : {}),
        },
        contactProperties: contactProperties({ user: { id: userId }, seenAt: loggedAt }),
      },
    ],
  };
}
