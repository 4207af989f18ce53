import type { Logger } from "@hookline/core";
import pg from "pg";
import type { Database } from "../database.js";
import { DatabaseError } from "../errors.js";
import { createPgDatabase } from "./pg-database.js";

export interface OpenPgOptions {
  readonly logger: Logger;
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  readonly prepare: boolean;
  readonly applicationName: string;
}

/** A database on a pool of its own; one connection is made at once, so that a wrong address shows here. */
export async function openPgDatabase(url: string, options: OpenPgOptions): Promise<Database> {
  const pool = createPool(url, options);
  pool.on("error", (error) => options.logger.warn({ err: error }, "an idle connection to Postgres broke"));
  // Between two owners nobody else listens, and an error that nobody hears ends the process.
  pool.on("connect", (client) => {
    client.on("error", (error) => options.logger.debug({ err: error }, "a connection to Postgres broke"));
  });
  const database = createPgDatabase({
    pool,
    logger: options.logger,
    prepare: options.prepare,
    end: () => pool.end(),
  });
  try {
    await database.query("select 1");
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

function createPool(url: string, { poolSize, connectTimeoutMs, applicationName }: OpenPgOptions): pg.Pool {
  checkUrl(url);
  return new pg.Pool({
    connectionString: url,
    // One more for the connection that listens.
    max: poolSize + 1,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: applicationName,
    keepAlive: true,
  });
}

function checkUrl(url: string): void {
  try {
    new pg.Client({ connectionString: url });
  } catch {
    // The cause is left out: it repeats the URL, and with it a password.
    throw new DatabaseError("invalid_url", "The postgres:// URL cannot be read.");
  }
}
