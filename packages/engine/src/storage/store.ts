import { type Clock, type Logger, silentLogger, systemClock } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";

/** What every part of the engine stands on. */
export interface Store {
  readonly database: Database;
  /** The Postgres schema's name, checked. */
  readonly schema: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface StoreOptions {
  readonly database: Database;
  readonly schema?: string;
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
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}
