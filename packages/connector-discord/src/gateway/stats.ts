import type { GatewayConnection } from "./connection.js";
import type { DeadLetters } from "./dead-letters.js";
import type { Sender } from "./sender.js";
import type { ShardLeases } from "./shard-leases.js";
import type { Spool } from "./spool.js";

/** What a worker says of itself; also the body of `/healthz`. */
export interface GatewayWorkerStats {
  /** `paused`: the spool is full, and the worker has left Discord until it is not; `standby`: others hold all shards. */
  readonly state: "new" | "starting" | "running" | "paused" | "standby" | "stopping" | "stopped" | "failed";
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
    /** New sessions that Discord allows until its daily limit resets, as of the last connection; null before it. */
    readonly identifiesLeft: number | null;
    /** Packets of the forwarded types. */
    readonly receivedPackets: number;
  };
  /** Null where the worker has all shards to itself. */
  readonly leases: {
    readonly held: readonly number[];
    /** Shards that no worker has held for as long as a lease lasts: nothing of their servers is received. */
    readonly unheld: readonly number[];
    /** Since the API last answered for them; null before it did. */
    readonly lastAnswerAgeMs: number | null;
  } | null;
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

/** Counts that outlive a connection. */
export interface WorkerTotals {
  receivedPackets: number;
  gaps: number;
  identifies: number;
  resumes: number;
  identifiesLeft: number | null;
}

export function collectStats(sources: {
  readonly state: GatewayWorkerStats["state"];
  readonly full: boolean;
  /** Of connections before the present one. */
  readonly totals: WorkerTotals;
  readonly connection: GatewayConnection | null;
  readonly parts: { readonly spool: Spool; readonly sender: Sender; readonly leases: ShardLeases | null } | null;
  readonly deadLetters: DeadLetters;
  readonly nowMs: number;
}): GatewayWorkerStats {
  const { connection, totals, nowMs } = sources;
  const depth = sources.parts?.spool.depth() ?? { items: 0, bytes: 0, oldestAtMs: null };
  const sending = sources.parts?.sender.stats();
  const counts = connection?.counts() ?? { identifies: 0, resumes: 0, identifiesLeft: null };
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
      identifiesLeft: counts.identifiesLeft ?? totals.identifiesLeft,
      receivedPackets: totals.receivedPackets,
    },
    leases: leasesOf(sources.parts?.leases ?? null, nowMs),
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

/** Two of Discord's heartbeats, and then some: a shard that is silent for longer hangs. */
const SILENT_AFTER_MS = 120_000;

export function isHealthy({ state, spool, gateway: { shards }, leases }: GatewayWorkerStats): boolean {
  if (state === "standby") {
    return (leases?.lastAnswerAgeMs ?? Number.POSITIVE_INFINITY) < SILENT_AFTER_MS;
  }
  const alive = shards.length > 0 && shards.every((shard) => shard.lastSignAgeMs < SILENT_AFTER_MS);
  return state === "running" && !spool.full && alive;
}

function leasesOf(leases: ShardLeases | null, nowMs: number): GatewayWorkerStats["leases"] {
  const answeredAtMs = leases?.lastAnswerAtMs() ?? null;
  return (
    leases && {
      held: leases.held(),
      unheld: leases.unheld(),
      lastAnswerAgeMs: answeredAtMs === null ? null : nowMs - answeredAtMs,
    }
  );
}

function iso(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
