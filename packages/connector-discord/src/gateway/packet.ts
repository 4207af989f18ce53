import { FORWARDED_PACKET_TYPES, type IngressGap, type IngressItem } from "../ingress-contract.js";
import type { ReceivedPacket } from "./connection.js";
import { toItemKey } from "./item-key.js";
import type { SpoolEntry } from "./spool-record.js";

const FORWARDED_TYPES: ReadonlySet<string> = new Set(FORWARDED_PACKET_TYPES);

/** Whether the connector makes events of it; all other packets would only be ignored by the API. */
export function isForwarded(type: string): boolean {
  return FORWARDED_TYPES.has(type);
}

export interface PacketPlace {
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
    const { lastSeenAtMs, reason } = packet.lost;
    // No packet of Discord's has the seq 0.
    entries.push(gapEntry({ ...place, seq: 0 }, { sinceMs: lastSeenAtMs, reason, guildIds: guildIdsOf(packet.d) }));
  }
  if (isForwarded(packet.type)) {
    entries.push(entry(guildIdOf(packet.d) ?? DIRECT_LANE, { type: packet.type, d: packet.d }, place));
  }
  return entries;
}

/** Tells the API that packets may be missing up to now. A gap stands for all guilds of its shard. */
export function gapEntry(
  place: PacketPlace,
  {
    sinceMs,
    reason,
    guildIds,
  }: { readonly sinceMs: number; readonly reason: string; readonly guildIds: readonly string[] },
): SpoolEntry {
  const d: IngressGap = {
    from: new Date(sinceMs).toISOString(),
    to: new Date(place.receivedAtMs).toISOString(),
    reason,
    guildIds,
  };
  return entry(`shard-${place.shardId}`, { type: "HOOKLINE_GAP", d }, place);
}

/** A message that was read afterwards, as if it had come as a packet; it has no seq. */
export function messageEntry(d: { readonly guild_id: string }, messageId: string, place: PacketPlace): SpoolEntry {
  return entry(d.guild_id, { type: "MESSAGE_CREATE", d }, { ...place, seq: 0, sessionId: `message-${messageId}` });
}

function entry(lane: string, what: Pick<IngressItem, "type" | "d">, place: PacketPlace): SpoolEntry {
  const key = toItemKey(place);
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
export function guildIdsOf(ready: unknown): readonly string[] {
  const guilds = typeof ready === "object" && ready !== null && "guilds" in ready ? ready.guilds : undefined;
  return Array.isArray(guilds)
    ? guilds.flatMap((guild: unknown) =>
        typeof guild === "object" && guild !== null && "id" in guild && typeof guild.id === "string" ? [guild.id] : [],
      )
    : [];
}
