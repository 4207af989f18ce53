import { createHash } from "node:crypto";
import type { Clock, RequestTls } from "@hookline/core";
import { Pool } from "undici";
import type { AddressGuard } from "./address-guard.js";
import { type ConnectionWatch, createConnectionWatch } from "./connection-timing.js";
import { type Connector, createConnector, type ProxyOptions } from "./connector.js";

export interface OriginPools {
  /**
   * The pool of an origin, one for each way to secure it, with the watch over its connections; `release` says that the
   * request is over.
   */
  acquire(origin: string, tls?: RequestTls): { readonly pool: Pool; readonly watch: ConnectionWatch; release(): void };
  /** Ends all connections, also those in use. */
  close(): Promise<void>;
}

interface Entry {
  readonly pool: Pool;
  readonly watch: ConnectionWatch;
  readonly connector: Connector;
  inUse: number;
  usedAtMs: number;
}

const IDLE_MS = 60_000;
const MAX_POOLS = 1_000;

/**
 * One connection pool for each origin and client certificate: few, and gone when idle. Each connection goes through the
 * guard's look-up.
 */
export function createOriginPools(options: {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly proxy: ProxyOptions | null;
  /** Default 1,000; more only while all of them are in use. */
  readonly maxPools?: number;
}): OriginPools {
  const { guard, connectTimeoutMs, clock, proxy, maxPools = MAX_POOLS } = options;
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  let sweptAtMs = clock.now();

  const fingerprints = new WeakMap<RequestTls, string>();

  const keyOf = (origin: string, tls: RequestTls | undefined): string => {
    if (tls === undefined) return origin;
    const known = fingerprints.get(tls) ?? createHash("sha256").update(JSON.stringify(tls)).digest("base64");
    fingerprints.set(tls, known);
    return `${origin} ${known}`;
  };

  const drop = (key: string, entry: Entry): void => {
    entries.delete(key);
    entry.connector.end();
    const closed: Promise<void> = entry.pool.destroy().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const sweep = (nowMs: number): void => {
    sweptAtMs = nowMs;
    for (const [key, entry] of entries) {
      // The map is in order of use: the first one that is young ends the search.
      if (entry.inUse > 0) continue;
      if (nowMs - entry.usedAtMs < IDLE_MS && entries.size <= maxPools) break;
      drop(key, entry);
    }
  };

  return {
    acquire(origin, tls) {
      const nowMs = clock.now();
      const key = keyOf(origin, tls);
      let entry = entries.get(key);
      if (entry === undefined) {
        const watch = createConnectionWatch();
        const connector = createConnector({ guard, timeoutMs: connectTimeoutMs, tls, proxy, watch });
        const pool = new Pool(origin, {
          pipelining: 1,
          // The attempt has one deadline of its own over all of these.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: connector.connect,
        });
        entry = { pool, watch, connector, inUse: 0, usedAtMs: nowMs };
      }
      entries.delete(key);
      entries.set(key, entry);
      entry.inUse += 1;
      entry.usedAtMs = nowMs;
      if (nowMs - sweptAtMs > IDLE_MS / 4 || entries.size > maxPools) sweep(nowMs);
      const taken = entry;
      return {
        pool: taken.pool,
        watch: taken.watch,
        release() {
          taken.inUse -= 1;
        },
      };
    },
    async close() {
      for (const [key, entry] of entries) drop(key, entry);
      await Promise.all(closing);
    },
  };
}
