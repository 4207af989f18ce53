import { type Logger, silentLogger } from "@hookline/core";
import type { Database } from "./database.js";
import { DatabaseError } from "./errors.js";
import { openPgDatabase } from "./pg/open-pg-database.js";
import { openPgliteDatabase } from "./pglite/open-pglite-database.js";

/** Options of {@link openDatabase}. */
export interface OpenDatabaseOptions {
  readonly logger?: Logger;
  /** PGlite on disk: sync each commit to the disk (true). False is faster and survives a crash, but not a power failure. */
  readonly fsync?: boolean;
  /** Connections to a Postgres server, besides the one that listens (10). */
  readonly poolSize?: number;
  /** How long a new connection to a server may take (10 000). */
  readonly connectTimeoutMs?: number;
  /** Keep hot statements prepared on each connection to a server (true). Say false behind a pooler that cannot do so. */
  readonly prepare?: boolean;
  /** What the server shows as the client's name (`hookline`). */
  readonly applicationName?: string;
  /** Where `listen` connects, when the URL leads to a pooler that hands connections around: the server itself. */
  readonly listenUrl?: string;
}

const DEFAULTS = {
  fsync: true,
  poolSize: 10,
  connectTimeoutMs: 10_000,
  prepare: true,
  applicationName: "hookline",
} as const satisfies OpenDatabaseOptions;

/**
 * Opens a database by its URL: `pglite://./data` (embedded, on disk), `pglite://memory` (embedded, gone at the end) or
 * `postgres://user:password@host/name`.
 *
 * @throws DatabaseError `invalid_url`, `directory_locked`, `directory_corrupt`, `directory_unusable`, `connection_failed`
 *
 * @example
 * const database = await openDatabase("pglite://./data");
 * const rows = await database.query<{ sum: number }>("select $1::int8 + 1 as sum", [41]);
 * await database.close();
 */
export async function openDatabase(url: string, options: OpenDatabaseOptions = {}): Promise<Database> {
  const resolved = { logger: silentLogger, ...DEFAULTS, ...options };
  if (typeof url !== "string") throw new DatabaseError("invalid_url", "A database URL is a text.");
  if (/^postgres(ql)?:\/\//.test(url)) return openPgDatabase(url, resolved);
  if (url.startsWith("pglite://")) return openPgliteDatabase(url.slice("pglite://".length), resolved);
  // The URL may hold a password, so the message does not repeat it.
  throw new DatabaseError("invalid_url", "A database URL starts with pglite://, postgres:// or postgresql://.");
}
