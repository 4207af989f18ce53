import { type Logger, silentLogger } from "@hookline/core";
import type { Database } from "../database.js";
import { createPgDatabase } from "./pg-database.js";
import type { PgPool } from "./pool-face.js";

export interface FromPoolOptions {
  readonly logger?: Logger;
  /** Keep hot statements prepared on each connection (true). Say false behind a pooler that cannot do so. */
  readonly prepare?: boolean;
}

/**
 * A database on your own node-postgres pool; `close()` leaves the pool open. `listen` holds one of its clients.
 *
 * @example
 * const database = fromPool(new pg.Pool({ connectionString }));
 */
export function fromPool(pool: PgPool, options: FromPoolOptions = {}): Database {
  return createPgDatabase({
    pool,
    logger: options.logger ?? silentLogger,
    prepare: options.prepare ?? true,
    end: async () => {},
  });
}
