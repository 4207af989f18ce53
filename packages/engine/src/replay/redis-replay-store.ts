import type { ReplayStore } from "@hookline/webhook-signing";

/** The part of ioredis that is used; its `Redis` and `Cluster` are one as they are. */
export interface RedisCommands {
  set(key: string, value: string, expiry: "PX", milliseconds: number, condition: "NX"): Promise<"OK" | null>;
  del(key: string): Promise<number>;
}

/**
 * Remembers for `createReplayGuard` of `@hookline/webhook-signing` in Redis, for all processes on it. A store that
 * fails makes the guard reject: answer 500, never let pass. A Redis that forgets, by restart or eviction, lets a replay
 * through that is still within its window.
 *
 * @example
 * const guard = createReplayGuard(createRedisReplayStore({ redis: new Redis(url) }), { scope: "github" });
 */
export function createRedisReplayStore(options: {
  readonly redis: RedisCommands;
  /** Stands in front of each key; `hookline:replay:` when absent. */
  readonly keyPrefix?: string;
}): ReplayStore {
  const { redis, keyPrefix = "hookline:replay:" } = options;
  return {
    add: async (key, ttlSeconds) =>
      (await redis.set(keyPrefix + key, "1", "PX", Math.ceil(ttlSeconds * 1000), "NX")) === "OK",
    delete: (key) => redis.del(keyPrefix + key),
  };
}
