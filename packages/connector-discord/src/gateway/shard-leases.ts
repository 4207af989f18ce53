import type { Clock, Logger } from "@hookline/core";
import type { Lease } from "../lease-contract.js";
import type { StoredSession } from "../stored-session.js";
import { parseItemKey } from "./item-key.js";
import type { LeaseClient } from "./lease-client.js";
import type { ItemFate } from "./sender.js";
import type { SpooledItem } from "./spool-record.js";
import { createThrottle } from "./throttle.js";

export interface ShardLeasesOptions {
  readonly ask: LeaseClient;
  /** The spool's id. */
  readonly holder: string;
  readonly shardCount: number;
  readonly maxShards: number;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Up to where the API has everything; null while that is not known. */
  readonly positionOf: (shardId: number) => StoredSession | null;
  /** The place of the last packet in the spool. */
  readonly lastOrder: () => number;
  /** Another worker has had the shard before, and left this position: resume from there. */
  readonly onTakenOver: (shardId: number, session: StoredSession) => void;
  /** Other shards are held than before. */
  readonly onChange: () => void;
  /** The fate of packets may be another now. */
  readonly onAnswer: () => void;
}

/** Which shards this worker may hold, as the API grants them for a time. */
export interface ShardLeases {
  start(): void;
  /** In ascending order. */
  held(): readonly number[];
  /** Those that nobody has held for as long as a lease lasts: no worker may take more. In ascending order. */
  unheld(): readonly number[];
  /** By shard; goes with each batch. */
  fences(): ReadonlyMap<number, number>;
  /** When the API last answered: milliseconds since 1970. */
  lastAnswerAtMs(): number | null;
  fateOf(item: SpooledItem): ItemFate;
  /** Not 0 while another worker may have taken over without our knowing: a RESUME would take the session from it. */
  connectDelayMs(): number;
  /** The API has refused a batch, so look who holds the shard; or a session began, so tell others of it. */
  lookNow(): void;
  /** Gives back what is held. Call it when nothing is sent any more. */
  stop(): Promise<void>;
}

interface Held {
  readonly fence: number;
  /** Until then nobody else can have it. */
  untilMs: number;
  /** Packets up to this place were received before another worker had the shard. */
  readonly takenOver: { readonly order: number; readonly session: StoredSession | null } | null;
}

const RELEASE_TIMEOUT_MS = 3_000;

export function createShardLeases(options: ShardLeasesOptions): ShardLeases {
  const { clock, logger, ttlMs } = options;
  const held = new Map<number, Held>();
  const taken = new Map<number, StoredSession | null>();
  const freeSinceMs = new Map<number, number>();
  const throttled = createThrottle(clock);
  const abort = new AbortController();
  let cancelTimer: (() => void) | null = null;
  let asking: Promise<void> | null = null;
  let askAgain = false;
  let stopped = false;
  let lastAnswerAtMs: number | null = null;

  const toHeld = () => [...held].map(([shard, { fence }]) => ({ shard, fence, session: options.positionOf(shard) }));

  /** A shard that changes hands is free for a moment. */
  function unheld(): readonly number[] {
    const beforeMs = (lastAnswerAtMs ?? 0) - ttlMs;
    return [...freeSinceMs].flatMap(([shard, sinceMs]) => (sinceMs <= beforeMs ? shard : [])).sort((a, b) => a - b);
  }

  function lookNow(): void {
    cancelTimer?.();
    if (asking !== null) {
      askAgain = true;
    } else if (!stopped) {
      asking = ask().finally(() => {
        asking = null;
        const soon = askAgain;
        askAgain = false;
        if (soon) {
          lookNow();
        } else if (!stopped) {
          cancelTimer = clock.setTimer(lookNow, ttlMs / 3);
        }
      });
    }
  }

  async function ask(): Promise<void> {
    const askedAtMs = clock.now();
    const wanted = Array.from({ length: options.shardCount }, (_, shard) => shard).filter((shard) => !held.has(shard));
    const outcome = await options.ask(
      { holder: options.holder, ttlMs, held: toHeld(), released: [], wanted, limit: options.maxShards - held.size },
      abort.signal,
    );
    if (stopped) {
      return;
    }
    if (!outcome.ok) {
      throttled("leases", (omitted) => {
        logger.warn(
          { reason: outcome.reason, omitted },
          "The API does not answer for the leases of shards; asking again",
        );
      });
      return;
    }
    lastAnswerAtMs = clock.now();
    const changes = outcome.leases.map((lease) => apply(lease, askedAtMs + ttlMs));
    if (changes.includes(true)) {
      options.onChange();
    }
    if (unheld().length > 0) {
      throttled("unheld", (omitted) => {
        logger.error(
          { shards: unheld(), omitted },
          "No worker holds these shards, so nothing of their servers is received. Start more workers, or let each take more (MAX_SHARDS or the option `maxShards`)",
        );
      });
    }
    options.onAnswer();
  }

  /** True when other shards are held than before. */
  function apply(lease: Lease, untilMs: number): boolean {
    const { shard } = lease;
    if (lease.status !== "free") {
      freeSinceMs.delete(shard);
    } else if (!freeSinceMs.has(shard)) {
      freeSinceMs.set(shard, untilMs - ttlMs);
    }
    const known = held.get(shard);
    switch (lease.status) {
      case "held": {
        taken.delete(shard);
        if (known?.fence === lease.fence) {
          known.untilMs = untilMs;
          return false;
        }
        const takenOver = lease.continued ? null : { order: options.lastOrder(), session: lease.session };
        held.set(shard, { fence: lease.fence, untilMs, takenOver });
        if (takenOver?.session) {
          options.onTakenOver(shard, takenOver.session);
        }
        logger.info({ shard, takenOver: takenOver?.session != null }, "Holds the lease of a shard");
        return true;
      }
      case "taken":
        taken.set(shard, lease.session);
        if (known) {
          held.delete(shard);
          logger.warn({ shard }, "Another worker has taken the shard over; leaving it");
        }
        return known !== undefined;
      default:
        return false;
    }
  }

  return {
    start: lookNow,
    held: () => [...held.keys()].sort((a, b) => a - b),
    unheld,
    fences: () => new Map([...held].map(([shard, { fence }]) => [shard, fence])),
    lastAnswerAtMs: () => lastAnswerAtMs,
    fateOf({ key, order }) {
      const { sessionId, shardId, seq } = parseItemKey(key);
      const has = (session: StoredSession | null | undefined) => session?.sessionId === sessionId && seq <= session.seq;
      const mine = held.get(shardId);
      if (mine) {
        if (mine.takenOver === null || order > mine.takenOver.order) {
          return "send";
        }
        return has(mine.takenOver.session) ? "drop" : "set_aside";
      }
      const theirs = taken.get(shardId);
      if (theirs == null) {
        return "wait";
      }
      // What they have not got so far, they get from Discord, as long as it is still the same session.
      return has(theirs) ? "drop" : theirs.sessionId === sessionId ? "wait" : "set_aside";
    },
    connectDelayMs: () => ([...held.values()].some(({ untilMs }) => untilMs <= clock.now()) ? ttlMs : 0),
    lookNow,
    async stop() {
      stopped = true;
      cancelTimer?.();
      abort.abort();
      await asking;
      if (held.size > 0) {
        const request = { holder: options.holder, ttlMs, held: [], released: toHeld(), wanted: [], limit: 0 };
        const outcome = await options.ask(request, AbortSignal.timeout(RELEASE_TIMEOUT_MS));
        if (!outcome.ok) {
          logger.warn({ reason: outcome.reason }, "The leases of shards could not be given back; they run out");
        }
      }
    },
  };
}
