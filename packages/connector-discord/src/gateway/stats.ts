import type { GatewayConnection } from "./connection.js";
import type { DeadLetters } from "./dead-letters.js";
import type { Sender } from "./sender.js";
import type { Spool } from "./spool.js";

/** What a worker says of itself; also the body of `/healthz`. */
export interface GatewayWorkerStats {
  /** `paused`: the spool is full, and the worker has left Discord until it is not. */
  readonly state: "new" | "starting" | "running" | "paused" | "stopping" | "stopped" | "failed";
  readonly gateway: {
    readonly shards: readonly {
      readonly id: number;
      readonly live: boolean;
      /** ISO 8601. */
      readonly lastHeartbeatAckAt: string | null;
      /** Since the last packet or acknowledged heartbeat. */
      readonly lastSignAgeMs: number;
    }[];
    /** Since this process started, as all counts here. */
    readonly identifies: number;
    readonly resumes: number;
    readonly gaps: number;
    /** Packets of the forwarded types. */
    readonly receivedPackets: number;
  };
  readonly spool: {
    readonly items: number;
    readonly bytes: number;
    /** Of the packet that waits longest; null when none waits. */
    readonly oldestAgeMs: number | null;
    readonly full: boolean;
  };
  readonly ingress: {
    readonly lanes: { readonly total: number; readonly sending: number; readonly waiting: number };
    readonly sentPackets: number;
    /** Packets in the dead-letter file since the start. */
    readonly deadLetters: number;
    /** ISO 8601. */
    readonly lastAnswerAt: string | null;
    /** Why nothing gets through, or null. */
    readonly trouble: string | null;
  };
}

export function collectStats(sources: {
  readonly state: GatewayWorkerStats["state"];
  readonly full: boolean;
  /** Of connections before the present one. */
  readonly totals: { receivedPackets: number; gaps: number; identifies: number; resumes: number };
  readonly connection: GatewayConnection | null;
  readonly parts: { readonly spool: Spool; readonly sender: Sender } | null;
  readonly deadLetters: DeadLetters;
  readonly nowMs: number;
}): GatewayWorkerStats {
  const { connection, totals, nowMs } = sources;
  const depth = sources.parts?.spool.depth() ?? { items: 0, bytes: 0, oldestAtMs: null };
  const sending = sources.parts?.sender.stats();
  const counts = connection?.counts() ?? { identifies: 0, resumes: 0 };
  return {
    state: sources.state,
    gateway: {
      shards: (connection?.shards() ?? []).map((shard) => ({
        id: shard.id,
        live: shard.live,
        lastHeartbeatAckAt: iso(shard.lastHeartbeatAckAtMs),
        lastSignAgeMs: nowMs - shard.lastSignAtMs,
      })),
      identifies: totals.identifies + counts.identifies,
      resumes: totals.resumes + counts.resumes,
      gaps: totals.gaps,
      receivedPackets: totals.receivedPackets,
    },
    spool: {
      items: depth.items,
      bytes: depth.bytes,
      oldestAgeMs: depth.oldestAtMs === null ? null : Math.max(0, nowMs - depth.oldestAtMs),
      full: sources.full,
    },
    ingress: {
      lanes: sending?.lanes ?? { total: 0, sending: 0, waiting: 0 },
      sentPackets: sending?.sentItems ?? 0,
      deadLetters: sources.deadLetters.count(),
      lastAnswerAt: iso(sending?.lastAnswerAtMs ?? null),
      trouble: sending?.trouble ?? null,
    },
  };
}

function iso(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
