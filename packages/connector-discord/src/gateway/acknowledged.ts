import type { StoredSession } from "../stored-session.js";
import { parseItemKey } from "./item-key.js";
import type { SpoolEntry, SpooledItem } from "./spool-record.js";

/**
 * Up to where the API has everything of a shard. Whoever takes the shard over, on another machine and without this
 * spool, has to resume from there.
 */
export interface AcknowledgedPositions {
  /** Packets were spooled, and `session` is the position behind them. */
  appended(entries: readonly SpoolEntry[], at: { readonly shardId: number; readonly session: StoredSession }): void;
  /** They have left the spool, since the API has answered for them. */
  settled(items: readonly Pick<SpooledItem, "key" | "order">[]): void;
  /** Continues from here, whatever was known of the shard. */
  moved(shardId: number, session: StoredSession): void;
  /** Null while it is not known: as long as packets of an earlier process wait in the spool. */
  of(shardId: number): StoredSession | null;
}

interface Shard {
  /** In order: the key of each packet that waits, and the position before it; a number is a seq of the same session. */
  readonly waiting: Map<string, number | StoredSession | null>;
  latest: StoredSession | null;
}

export function createAcknowledgedPositions(spooled: {
  readonly sessions: ReadonlyMap<number, StoredSession>;
  /** The place of the last packet that an earlier process left. */
  readonly lastOrder: number;
  /** How many of those wait. */
  readonly items: number;
}): AcknowledgedPositions {
  const shards = new Map<number, Shard>();
  let leftOfEarlier = spooled.items;

  function shardOf(shardId: number): Shard {
    let shard = shards.get(shardId);
    if (!shard) {
      shard = { waiting: new Map(), latest: spooled.sessions.get(shardId) ?? null };
      shards.set(shardId, shard);
    }
    return shard;
  }

  return {
    appended(entries, { shardId, session }) {
      const shard = shardOf(shardId);
      const before = shard.latest?.sessionId === session.sessionId ? shard.latest.seq : shard.latest;
      for (const { key } of entries) {
        shard.waiting.set(key, before);
      }
      shard.latest = session;
    },
    settled(items) {
      for (const { key, order } of items) {
        leftOfEarlier -= order <= spooled.lastOrder ? 1 : 0;
        shardOf(parseItemKey(key).shardId).waiting.delete(key);
      }
    },
    moved(shardId, session) {
      shardOf(shardId).latest = session;
    },
    of(shardId) {
      const { waiting, latest } = shardOf(shardId);
      const first = waiting.entries().next();
      if (leftOfEarlier > 0) {
        return null;
      }
      if (first.done) {
        return latest;
      }
      const [, before] = first.value;
      // Another session began while packets wait: what is before them belongs to one that can't be told from here.
      const sameSession = latest !== null && parseItemKey(first.value[0]).sessionId === latest.sessionId;
      return typeof before === "number" ? (sameSession ? { ...latest, seq: before } : null) : before;
    },
  };
}
