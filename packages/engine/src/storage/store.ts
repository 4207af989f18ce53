import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { RedisCommands } from "../replay/redis-replay-store.js";

/** What every part of the engine stands on. */
export interface Store {
  readonly database: Database;
  /** The Postgres schema's name, checked. */
  readonly schema: string;
  /** Where rate limits and throttles are counted; in the database where it is null. */
  readonly redis: RateLimitRedis | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An ioredis client: what counting limits and remembering replays need of it. */
export interface EngineRedis extends RateLimitRedis, RedisCommands {}

/** An ioredis client: what rate-limiter-flexible needs of it. */
export interface RateLimitRedis {
  readonly status: string;
  // biome-ignore lint/suspicious/noExplicitAny: ioredis' own type names each kind of callback
  defineCommand(name: string, definition: any): void;
}

export interface StoreOptions {
  readonly database: Database;
  readonly schema?: string;
  /** Counts rate limits and throttles for all processes: an ioredis client of yours. The database does where it is absent. */
  readonly redis?: RateLimitRedis;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

export function openStore(options: StoreOptions): Store {
  const schema = options.schema ?? DEFAULTS.schema;
  if (!SCHEMA_NAME.test(schema)) {
    throw new EngineError("invalid_options", "schema must be a lower-case Postgres name of at most 63 characters");
  }
  return {
    database: options.database,
    schema,
    redis: options.redis ?? null,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}
