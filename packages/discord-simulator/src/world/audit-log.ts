import { AuditLogEvent } from "discord-api-types/v10";
import type { Snowflakes } from "../snowflake.js";
import type { ChannelState, GuildState, MessageState, Packet, World } from "./model.js";

/** Who did what to whom; each guild keeps its own. */
export interface AuditLog {
  record(guild: GuildState, entry: NewAuditLogEntry): void;
}

export interface NewAuditLogEntry {
  readonly action: AuditLogEvent;
  /** Who did it. */
  readonly userId: string;
  /** The person or the channel that it was done to. */
  readonly targetId: string;
  readonly reason?: string | undefined;
  readonly changes?: readonly { readonly key: string; readonly old_value?: unknown; readonly new_value?: unknown }[];
  readonly options?: Readonly<Record<string, string>>;
}

export function createAuditLog(snowflake: Snowflakes, publish: (packet: Packet) => void): AuditLog {
  return {
    record(guild, { action, userId, targetId, reason, changes, options }) {
      const entry = {
        id: snowflake(),
        user_id: userId,
        target_id: targetId,
        action_type: action,
        ...(changes ? { changes } : {}),
        ...(options ? { options } : {}),
        ...(reason ? { reason } : {}),
      };
      guild.auditLog.push(entry);
      publish({ t: "GUILD_AUDIT_LOG_ENTRY_CREATE", d: { ...entry, guild_id: guild.id }, guildId: guild.id });
    },
  };
}

/** Somebody has deleted another person's message. */
export function recordRemoval(
  { world, auditLog }: { readonly world: World; readonly auditLog: AuditLog },
  removal: {
    readonly channel: ChannelState;
    readonly stored: MessageState;
    readonly userId: string;
    readonly reason?: string | undefined;
  },
): void {
  const { channel, stored, userId, reason } = removal;
  const guild = world.guilds.get(channel.guildId ?? "");
  if (guild) {
    auditLog.record(guild, {
      action: AuditLogEvent.MessageDelete,
      userId,
      targetId: stored.message.author.id,
      reason,
      options: { channel_id: channel.id, count: "1" },
    });
  }
}
