import { createHash } from "node:crypto";
import type { Store } from "../storage/store.js";
import { createSweeper } from "../storage/sweep.js";

/** True the first time that a key is seen within its time, over all processes: one atomic statement, keys hashed. */
export function createAcceptOnce(store: Store): (key: string, ttlSeconds: number) => Promise<boolean> {
  const { database, schema, clock } = store;
  const sweeper = createSweeper(store);
  return async (key, ttlSeconds) => {
    await sweeper.sweepIfDue();
    const now = new Date(clock.now());
    const accepted = await database.query(
      `insert into "${schema}".accepted_keys as kept (key_hash, expires_at)
       values ($1, $2)
       on conflict (key_hash) do update set expires_at = excluded.expires_at where kept.expires_at <= $3
       returning expires_at`,
      [createHash("sha256").update(key).digest(), new Date(now.getTime() + ttlSeconds * 1000), now],
    );
    return accepted.length > 0;
  };
}
