import type { SessionInfo } from "@discordjs/ws";
import { type StoredSession, UNKNOWN_INTENTS } from "../stored-session.js";
import { endsSession } from "./close-codes.js";

/** What a WebSocket client reports when the connection ended without a close frame. */
const ABNORMAL_CLOSE = 1006;

/** A session that could not be resumed: from its last sign of life on, packets may be missing. */
export interface LostSession {
  readonly lastSeenAtMs: number;
  readonly reason: string;
}

interface ShardMemory {
  session: SessionInfo | null;
  lost: LostSession | null;
  lastSeenAtMs: number;
  /** Between HELLO and close. */
  open: boolean;
  /** A packet came on this connection, so Discord knows the session. */
  live: boolean;
  /** READY or RESUMED came: nothing older is still to be replayed. */
  current: boolean;
  lastClose: { readonly code: number; readonly hadHello: boolean; readonly wasLive: boolean } | null;
  /** Connections in a row that did not become live. */
  failures: number;
}

/**
 * What one connection knows of its sessions, synchronously: the library asks and writes for each packet, and would
 * reorder packets if it had to wait. What is durable is the spool's business.
 *
 * The library says `null` more often than Discord forgets a session: after an outage of seconds, and when it is
 * destroyed. Here a session is dropped only when Discord has really refused it.
 */
export interface SessionMemory {
  retrieve(shardId: number): SessionInfo | null;
  update(shardId: number, session: SessionInfo | null): void;
  onHello(shardId: number): void;
  onPacket(shardId: number): void;
  onCurrent(shardId: number): void;
  onClosed(shardId: number, closeCode: number): void;
  /** A packet or an acknowledged heartbeat: nothing is missing up to here, unless a replay is under way. */
  onSeen(shardId: number, nowMs: number): void;
  lastSeenAtMs(shardId: number): number;
  /** The session that the present one replaces, once. */
  takeLost(shardId: number): LostSession | null;
  isOpen(shardId: number): boolean;
  isCurrent(shardId: number): boolean;
  /** Connections in a row that did not become live. */
  failures(shardId: number): number;
}

export function createSessionMemory(options: {
  readonly stored: ReadonlyMap<number, StoredSession>;
  readonly intents: number;
}): SessionMemory {
  const shards = new Map<number, ShardMemory>();

  function of(shardId: number): ShardMemory {
    let memory = shards.get(shardId);
    if (!memory) {
      memory = fromStored(shardId, options.stored.get(shardId), options.intents);
      shards.set(shardId, memory);
    }
    return memory;
  }

  return {
    retrieve(shardId) {
      const memory = of(shardId);
      // Only a connection that is being opened asks while closed, so whatever closed before is history.
      if (!memory.open) {
        memory.lastClose = null;
      }
      return memory.session;
    },
    update(shardId, session) {
      const memory = of(shardId);
      if (session === null) {
        const reason = reasonToDrop(memory);
        if (reason !== null && memory.session !== null) {
          memory.lost = { lastSeenAtMs: memory.lastSeenAtMs, reason };
          memory.session = null;
        }
        return;
      }
      if (memory.session !== null && memory.session.sessionId !== session.sessionId) {
        const reason = memory.session.shardCount === session.shardCount ? "session_replaced" : "shard_count_changed";
        memory.lost = { lastSeenAtMs: memory.lastSeenAtMs, reason };
      }
      memory.session = session;
    },
    onHello(shardId) {
      const memory = of(shardId);
      memory.open = true;
      memory.live = false;
      memory.current = false;
      memory.lastClose = null;
    },
    onPacket(shardId) {
      const memory = of(shardId);
      memory.live = true;
      memory.failures = 0;
    },
    onCurrent(shardId) {
      of(shardId).current = true;
    },
    onClosed(shardId, code) {
      const memory = of(shardId);
      memory.lastClose = { code, hadHello: memory.open, wasLive: memory.live };
      memory.failures += memory.live ? 0 : 1;
      memory.open = false;
      memory.live = false;
      memory.current = false;
    },
    onSeen(shardId, nowMs) {
      const memory = of(shardId);
      if (memory.current) {
        memory.lastSeenAtMs = nowMs;
      }
    },
    lastSeenAtMs: (shardId) => of(shardId).lastSeenAtMs,
    takeLost(shardId) {
      const memory = of(shardId);
      const { lost } = memory;
      memory.lost = null;
      return lost;
    },
    isOpen: (shardId) => of(shardId).open,
    isCurrent: (shardId) => of(shardId).current,
    failures: (shardId) => of(shardId).failures,
  };
}

function fromStored(shardId: number, stored: StoredSession | undefined, intents: number): ShardMemory {
  const resumable = stored !== undefined && stored.intents === intents;
  return {
    session: resumable
      ? {
          sessionId: stored.sessionId,
          resumeURL: stored.resumeUrl,
          sequence: stored.seq,
          shardCount: stored.shardCount,
          shardId,
        }
      : null,
    lost: stored && !resumable ? { lastSeenAtMs: stored.lastSeenAtMs, reason: reasonNotToResume(stored) } : null,
    lastSeenAtMs: stored?.lastSeenAtMs ?? 0,
    open: false,
    live: false,
    current: false,
    lastClose: null,
    failures: 0,
  };
}

function reasonNotToResume({ intents }: StoredSession): string {
  return intents === UNKNOWN_INTENTS ? "session_unknown" : "intents_changed";
}

/** Why the library's `null` is to be believed; null when the session is kept and a RESUME will be tried. */
function reasonToDrop(memory: ShardMemory): string | null {
  if (memory.open) {
    // No close preceded: the library itself gives up, which it does on INVALID_SESSION that can't be resumed.
    return "session_invalid";
  }
  const { lastClose } = memory;
  if (lastClose === null) {
    return null;
  }
  if (endsSession(lastClose.code)) {
    return `close_${lastClose.code}`;
  }
  // A connection that worked is worth a RESUME, whatever closed it. One that Discord closed before it came so far is
  // not worth another; where the network broke (1006), Discord has said nothing.
  const refused = lastClose.hadHello && !lastClose.wasLive && lastClose.code !== ABNORMAL_CLOSE;
  return refused ? `close_${lastClose.code}` : null;
}
