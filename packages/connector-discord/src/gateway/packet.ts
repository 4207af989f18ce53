import { FORWARDED_PACKET_TYPES, type IngressGap, type IngressItem } from "../ingress-contract.js";
import type { ReceivedPacket } from "./connection.js";
import type { SpoolEntry } from "./spool.js";

const FORWARDED_TYPES: ReadonlySet<string> = new Set(FORWARDED_PACKET_TYPES);

/** Whether the connector makes events of it; all other packets would only be ignored by the API. */
export function isForwarded(type: string): boolean {
  return FORWARDED_TYPES.has(type);
}

interface PacketPlace {
  readonly sessionId: string;
  readonly shardId: number;
  readonly seq: number;
  readonly receivedAtMs: number;
}

/** Direct messages belong to no guild; they stay in order among themselves. */
const DIRECT_LANE = "direct";

/** What has to reach the API because of this packet: often nothing, with a lost session also the gap. */
export function entriesOf(packet: ReceivedPacket): readonly SpoolEntry[] {
  const { sessionId, seq } = packet.session;
  const place = { sessionId, seq, shardId: packet.shardId, receivedAtMs: packet.receivedAtMs };
  const entries: SpoolEntry[] = [];
  if (packet.lost) {
    const gap: IngressGap = {
      from: new Date(packet.lost.lastSeenAtMs).toISOString(),
      to: new Date(packet.receivedAtMs).toISOString(),
      reason: packet.lost.reason,
      guildIds: guildIdsOf(packet.d),
    };
    // A gap stands for all guilds of its shard. No packet of Discord's has the seq 0.
    entries.push(entry(`shard-${packet.shardId}`, { type: "HOOKLINE_GAP", d: gap }, { ...place, seq: 0 }));
  }
  if (isForwarded(packet.type)) {
    entries.push(entry(guildIdOf(packet.d) ?? DIRECT_LANE, { type: packet.type, d: packet.d }, place));
  }
  return entries;
}

function entry(lane: string, what: Pick<IngressItem, "type" | "d">, place: PacketPlace): SpoolEntry {
  const key = `${place.sessionId}:${place.shardId}:${place.seq}`;
  const item: IngressItem = {
    key,
    sessionId: place.sessionId,
    shard: place.shardId,
    seq: place.seq,
    type: what.type,
    receivedAt: new Date(place.receivedAtMs).toISOString(),
    d: what.d,
  };
  return { lane, key, json: JSON.stringify(item), receivedAtMs: place.receivedAtMs };
}

function guildIdOf(d: unknown): string | undefined {
  const id = typeof d === "object" && d !== null && "guild_id" in d ? d.guild_id : undefined;
  return typeof id === "string" && /^\d{1,20}$/.test(id) ? id : undefined;
}

/** The guilds that READY names. */
function guildIdsOf(ready: unknown): readonly string[] {
  const guilds = typeof ready === "object" && ready !== null && "guilds" in ready ? ready.guilds : undefined;
  return Array.isArray(guilds)
    ? guilds.flatMap((guild: unknown) =>
        typeof guild === "object" && guild !== null && "id" in guild && typeof guild.id === "string" ? [guild.id] : [],
      )
    : [];
}
