import { randomBytes } from "node:crypto";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Packet, World } from "../world/model.js";
import { botPermissions, hasPermission, permissionsOf } from "../world/permissions.js";
import { intentsAllow, PRIVILEGED_INTENTS } from "./intents.js";

/** One client's session. It outlives its sockets for a while, so that RESUME can replay. */
export interface GatewaySession {
  readonly id: string;
  readonly intents: number;
  readonly shard: readonly [id: number, count: number];
  /** The number of the last packet. */
  seq(): number;
  /** Sends a packet if this session should see it, and keeps it for a replay. False: it should not. */
  deliver(packet: Packet): boolean;
  /** Sends and keeps a packet whatever the intents say. */
  dispatch(t: string, d: Record<string, unknown>): void;
  /** The socket that packets go to from now on; null keeps them only. */
  attach(send: ((text: string) => void) | null): void;
  /** Sends what came after `seq` again. False: that is no longer kept. */
  replay(seq: number): boolean;
}

interface SessionInput {
  readonly world: World;
  readonly intents: number;
  readonly shard: readonly [number, number];
  readonly keptPackets: number;
}

export function createGatewaySession({ world, intents, shard, keptPackets }: SessionInput): GatewaySession {
  const kept: { readonly seq: number; readonly text: string }[] = [];
  let lastSeq = 0;
  let send: ((text: string) => void) | null = null;

  function dispatch(t: string, d: Record<string, unknown>): void {
    lastSeq += 1;
    const text = JSON.stringify({ op: 0, t, s: lastSeq, d });
    kept.push({ seq: lastSeq, text });
    if (kept.length > keptPackets) {
      kept.shift();
    }
    send?.(text);
  }

  return {
    id: randomBytes(16).toString("hex"),
    intents,
    shard,
    seq: () => lastSeq,
    dispatch,
    deliver(packet) {
      if (!isOnShard(packet, shard) || !isVisible(world, packet, intents)) {
        return false;
      }
      dispatch(packet.t, asAllowed(world, packet, intents));
      return true;
    },
    attach(next) {
      send = next;
    },
    replay(seq) {
      const firstNeeded = seq + 1;
      const firstKept = kept[0]?.seq ?? lastSeq + 1;
      if (firstNeeded < firstKept) {
        return false;
      }
      for (const packet of kept) {
        if (packet.seq >= firstNeeded) {
          send?.(packet.text);
        }
      }
      return true;
    },
  };
}

function isOnShard({ guildId }: Packet, [id, count]: readonly [number, number]): boolean {
  return guildId === null ? id === 0 : shardOf(guildId, count) === id;
}

export function shardOf(guildId: string, count: number): number {
  return Number((BigInt(guildId) >> 22n) % BigInt(count));
}

function isVisible(world: World, { t, d, guildId }: Packet, intents: number): boolean {
  const botId = world.application.bot.id;
  if (guildId !== null) {
    const guild = world.guilds.get(guildId);
    const bot = guild?.members.get(botId);
    if (!guild || !bot) {
      return false;
    }
    if (t === "GUILD_AUDIT_LOG_ENTRY_CREATE") {
      const mayRead = hasPermission(permissionsOf(guild, bot, null), PermissionFlagsBits.ViewAuditLog);
      return mayRead && intentsAllow(intents, t, true);
    }
    const channelId = t === "THREAD_CREATE" ? d.id : d.channel_id;
    const channel = typeof channelId === "string" ? world.channels.get(channelId) : undefined;
    if (channel && t !== "INTERACTION_CREATE") {
      if (!hasPermission(botPermissions(world, channel), PermissionFlagsBits.ViewChannel)) {
        return false;
      }
    }
  }
  const aboutTheBot = t === "GUILD_MEMBER_UPDATE" && (d.user as { id?: string } | undefined)?.id === botId;
  return aboutTheBot || intentsAllow(intents, t, guildId !== null);
}

/** People and their presences are listed only for those who may see presences. */
function withPeopleRule(world: World, d: Record<string, unknown>, intents: number): Record<string, unknown> {
  if ((intents & PRIVILEGED_INTENTS.presences) !== 0) {
    return d;
  }
  const members = d.members as readonly { user: { id: string } }[];
  return { ...d, members: members.filter(({ user }) => user.id === world.application.bot.id), presences: [] };
}

/** Without the intent, only messages by the bot, to the bot or mentioning it show what they say. */
function asAllowed(world: World, { t, d, guildId }: Packet, intents: number): Record<string, unknown> {
  if (t === "GUILD_CREATE") {
    return withPeopleRule(world, d, intents);
  }
  const isMessage = t === "MESSAGE_CREATE" || t === "MESSAGE_UPDATE";
  if (!isMessage || guildId === null || (intents & PRIVILEGED_INTENTS.messageContent) !== 0) {
    return d;
  }
  const botId = world.application.bot.id;
  const mentions = d.mentions as readonly { id: string }[] | undefined;
  const author = d.author as { id: string } | undefined;
  if (author?.id === botId || mentions?.some(({ id }) => id === botId)) {
    return d;
  }
  return { ...d, content: "", embeds: [], attachments: [], components: [] };
}
