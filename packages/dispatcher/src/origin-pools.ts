import type { Clock } from "@hookline/core";
import { Pool } from "undici";
import type { AddressGuard } from "./address-guard.js";

export interface OriginPools {
  /** The pool of an origin; `release` says that the request is over. */
  acquire(origin: string): { readonly pool: Pool; release(): void };
  /** Ends all connections, also those in use. */
  close(): Promise<void>;
}

interface Entry {
  readonly pool: Pool;
  inUse: number;
  usedAtMs: number;
}

const IDLE_MS = 60_000;
const MAX_POOLS = 1_000;

/** One connection pool for each origin: few, and gone when idle. Each connection goes through the guard's look-up. */
export function createOriginPools(options: {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}): OriginPools {
  const { guard, connectTimeoutMs, clock } = options;
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  let sweptAtMs = clock.now();

  const drop = (origin: string, entry: Entry): void => {
    entries.delete(origin);
    const closed: Promise<void> = entry.pool.destroy().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const sweep = (nowMs: number): void => {
    sweptAtMs = nowMs;
    for (const [origin, entry] of entries) {
      // The map is in order of use: the first one that is young ends the search.
      if (entry.inUse > 0) continue;
      if (nowMs - entry.usedAtMs < IDLE_MS && entries.size <= MAX_POOLS) break;
      drop(origin, entry);
    }
  };

  return {
    acquire(origin) {
      const nowMs = clock.now();
      let entry = entries.get(origin);
      if (entry === undefined) {
        const pool = new Pool(origin, {
          pipelining: 1,
          // The attempt has one deadline of its own over all of these.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: { lookup: guard.lookup, timeout: connectTimeoutMs },
        });
        entry = { pool, inUse: 0, usedAtMs: nowMs };
      }
      entries.delete(origin);
      entries.set(origin, entry);
      entry.inUse += 1;
      entry.usedAtMs = nowMs;
      if (nowMs - sweptAtMs > IDLE_MS / 4 || entries.size > MAX_POOLS) sweep(nowMs);
      const taken = entry;
      return {
        pool: taken.pool,
        release() {
          taken.inUse -= 1;
        },
      };
    },
    async close() {
      for (const [origin, entry] of entries) drop(origin, entry);
      await Promise.all(closing);
    },
  };
}
