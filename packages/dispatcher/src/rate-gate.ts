import type { Clock, SqlQuery } from "@hookline/core";
import type { RateLimit } from "./limits.js";
import type { Statements } from "./sql/statements.js";
import type { WantedTokens } from "./sql/take-tokens.js";

/** A bucket of tokens that all processes share. */
export interface Bucket extends RateLimit {
  readonly key: string;
}

/** How many of the wanted tokens there were, and when there is another one. */
export interface Taken {
  readonly granted: number;
  readonly nextAtMs: number;
}

export interface RateGate {
  /** Takes up to `wanted` tokens. Rejects when the database does. */
  take(bucket: Bucket, wanted: number): Promise<Taken>;
  /** Keeps tokens that were taken and not used for the next `take` of this process, for as long as the limit's period. */
  putBack(bucket: Bucket, tokens: number): void;
  /** Removes what has not been used for an hour; does so once an hour. */
  sweep(): Promise<void>;
}

interface Asking {
  readonly bucket: Bucket;
  wanted: number;
  readonly asked: { readonly wanted: number; resolve(taken: Taken): void; reject(error: unknown): void }[];
}

const HOUR_MS = 3_600_000;

/** Whoever asks while a statement is under way shares the next one, so a limit costs a round trip and not a queue of them. */
export function createRateGate(options: {
  readonly query: SqlQuery;
  readonly statements: Pick<Statements, "takeTokens" | "forgetTokens">;
  readonly clock: Clock;
}): RateGate {
  const { query, statements, clock } = options;
  const spare = new Map<string, { tokens: number; untilMs: number }>();
  let asking = new Map<string, Asking>();
  let busy = false;
  let scheduled = false;
  let sweptAtMs = clock.now();

  const takeSpare = (key: string, wanted: number): number => {
    const kept = spare.get(key);
    if (kept === undefined) return 0;
    const usable = clock.now() < kept.untilMs ? Math.min(wanted, kept.tokens) : 0;
    kept.tokens -= usable;
    if (kept.tokens === 0 || clock.now() >= kept.untilMs) spare.delete(key);
    return usable;
  };

  const answer = ({ bucket, asked }: Asking, grantedTokens: number, fullAtMs: number): void => {
    const eachMs = bucket.perMs / bucket.count;
    let left = grantedTokens;
    let refused = 0;
    for (const { wanted, resolve } of asked) {
      const granted = Math.min(wanted, left);
      left -= granted;
      // Those who get none come back one after another, each when there is a token for it.
      const nextAtMs = fullAtMs - bucket.perMs + eachMs * (granted === 0 ? 1 + refused : 1);
      if (granted === 0) refused += 1;
      resolve({ granted, nextAtMs: Math.max(clock.now(), Math.ceil(nextAtMs)) });
    }
  };

  const ask = async (batch: ReadonlyMap<string, Asking>): Promise<void> => {
    const rows: WantedTokens[] = [...batch.values()].map(({ bucket, wanted }) => ({ ...bucket, wanted }));
    try {
      const granted = await statements.takeTokens(query, rows, clock.now());
      for (const row of granted) {
        const asked = batch.get(row.key);
        if (asked !== undefined) answer(asked, row.granted, row.full_at_ms);
      }
    } catch (error) {
      for (const { asked } of batch.values()) for (const { reject } of asked) reject(error);
    }
  };

  const run = (): void => {
    scheduled = false;
    const batch = asking;
    asking = new Map();
    if (batch.size === 0) return;
    busy = true;
    const next = () => {
      busy = false;
      schedule();
    };
    ask(batch).then(next, next);
  };

  const schedule = (): void => {
    if (scheduled || busy) return;
    scheduled = true;
    setImmediate(run);
  };

  return {
    take(bucket, wanted) {
      const kept = takeSpare(bucket.key, wanted);
      if (kept > 0) return Promise.resolve({ granted: kept, nextAtMs: clock.now() });
      return new Promise((resolve, reject) => {
        let waiting = asking.get(bucket.key);
        if (waiting === undefined) {
          waiting = { bucket, wanted: 0, asked: [] };
          asking.set(bucket.key, waiting);
        }
        waiting.wanted += wanted;
        waiting.asked.push({ wanted, resolve, reject });
        schedule();
      });
    },
    putBack(bucket, tokens) {
      if (tokens <= 0) return;
      const kept = spare.get(bucket.key);
      spare.set(bucket.key, { tokens: (kept?.tokens ?? 0) + tokens, untilMs: clock.now() + bucket.perMs });
    },
    async sweep() {
      const nowMs = clock.now();
      if (nowMs - sweptAtMs < HOUR_MS) return;
      sweptAtMs = nowMs;
      for (const [key, { untilMs }] of spare) if (untilMs <= nowMs) spare.delete(key);
      await statements.forgetTokens(query, nowMs - HOUR_MS);
    },
  };
}
