import { type Logger, silentLogger } from "@hookline/core";
import type { Database } from "../database.js";
import { createPgDatabase } from "./pg-database.js";
import type { PgPool } from "./pool-face.js";

export interface FromPoolOptions {
  readonly logger?: Logger;
  /** Keep hot statements prepared on each connection (true). Say false behind a pooler that cannot do so. */
  readonly prepare?: boolean;
  /** Where `listen` takes its client, when `pool` is behind a pooler that hands connections around: one of the server itself. */
  readonly listenPool?: PgPool;
}

/**
 * A database on your own node-postgres pool; `close()` leaves the pool open. `listen` holds a client.
 *
 * @example
 * const database = fromPool(new pg.Pool({ connectionString }));
 */
export function fromPool(pool: PgPool, options: FromPoolOptions = {}): Database {
  return createPgDatabase({
    pool,
    listenPool: options.listenPool ?? pool,
    logger: options.logger ?? silentLogger,
    prepare: options.prepare ?? true,
    end: async () => {},
  });
}
