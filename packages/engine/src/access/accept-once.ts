import { createHash } from "node:crypto";
import type { AcceptOptions, SqlQuery } from "@hookline/core";
import { createRedisReplayStore, type RedisCommands } from "../replay/redis-replay-store.js";
import type { Store } from "../storage/store.js";
import { createSweeper } from "../storage/sweep.js";

/**
 * True the first time that a key is seen within its time, over all processes on the same Redis, or the same database
 * where there is none: one atomic step, keys hashed. Rejects when that can't be told.
 */
export function createAcceptOnce(
  store: Store,
  redis: RedisCommands | null,
): (key: string, ttlSeconds: number, options?: AcceptOptions) => Promise<boolean> {
  const { database, schema, clock } = store;
  if (redis) {
    const accepted = createRedisReplayStore({ redis, keyPrefix: `${schema}:accepted:` });
    return async (key, ttlSeconds) => accepted.add(createHash("sha256").update(key).digest("base64url"), ttlSeconds);
  }
  const sweeper = createSweeper(store);
  return async (key, ttlSeconds, { asyncCommit = false } = {}) => {
    await sweeper.sweepIfDue();
    const claiming = { query: database.query, schema, now: new Date(clock.now()), asyncCommit };
    return (await claimKeys(claiming, [key], ttlSeconds)).has(key);
  };
}

/** A row that has the transaction's commit not wait for the disk. */
const ASYNC_COMMIT = "set_config('synchronous_commit', 'off', true),";

interface Claiming {
  readonly query: SqlQuery;
  readonly schema: string;
  readonly now: Date;
  /** For the whole transaction: only where the claim is one of its own. */
  readonly asyncCommit?: boolean;
}

/** Which of the keys were not known. In a transaction, a claim waits for another one's end and ends with its own. */
export async function claimKeys(
  { query, schema, now, asyncCommit = false }: Claiming,
  keys: readonly string[],
  ttlSeconds: number,
): Promise<ReadonlySet<string>> {
  const hashes = keys.map((key) => createHash("sha256").update(key).digest());
  const claimed = await query<{ key_hash: Uint8Array }>(
    `insert into "${schema}".accepted_keys as kept (key_hash, expires_at)
     select key_hash, $2 from ${asyncCommit ? ASYNC_COMMIT : ""} unnest($1::bytea[]) as wanted (key_hash)
     on conflict (key_hash) do update set expires_at = excluded.expires_at where kept.expires_at <= $3
     returning key_hash`,
    [hashes, new Date(now.getTime() + ttlSeconds * 1000), now],
  );
  const known = new Set(claimed.map(({ key_hash }) => Buffer.from(key_hash).toString("hex")));
  return new Set(keys.filter((_key, at) => known.has((hashes[at] as Buffer).toString("hex"))));
}
