import { createHash } from "node:crypto";
import { type IRateLimiterOptions, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Store } from "./store.js";

/** Counts what a key has done in its window. Throws when the store fails; what that means is the caller's to say. */
export interface RateLimiter {
  readonly max: number;
  readonly windowSeconds: number;
  consume(key: string): Promise<RateLimit>;
}

export interface RateLimit {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly resetMs: number;
}

export interface RateLimiterOptions {
  /** Tells the counters of one use from those of another. */
  readonly name: string;
  readonly max: number;
  readonly windowSeconds: number;
}

/**
 * One atomic step for each count, shared by all processes on the same Redis, or the same database where there is none.
 * Keys are stored hashed.
 */
export function createRateLimiter(store: Store, { name, max, windowSeconds }: RateLimiterOptions): RateLimiter {
  const common = {
    keyPrefix: name,
    points: max,
    duration: windowSeconds,
    // A key that is over its limit costs no query until its window ends.
    inMemoryBlockOnConsumed: max,
  };
  const limiter = store.redis
    ? // A Redis that is away is an error at once, not a request that waits for its return.
      new RateLimiterRedis({ ...common, storeClient: store.redis, rejectIfRedisNotReady: true })
    : createPostgresLimiter(store, common);

  return {
    max,
    windowSeconds,
    async consume(key) {
      try {
        const result = await limiter.consume(createHash("sha256").update(key).digest("base64url"));
        return { allowed: true, remaining: result.remainingPoints, resetMs: result.msBeforeNext };
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return { allowed: false, remaining: 0, resetMs: refusal.msBeforeNext };
      }
    },
  };
}

function createPostgresLimiter({ database, schema }: Store, common: IRateLimiterOptions): RateLimiterPostgres {
  return new RateLimiterPostgres({
    ...common,
    storeClient: {
      async query({ text, values }: { text: string; values: unknown[] }) {
        const rows = await database.query(text, values);
        return { rows, rowCount: rows.length };
      },
    },
    storeType: "client",
    schemaName: schema,
    tableName: "rate_limits",
    tableCreated: true,
    clearExpiredByTimeout: false,
  });
}
