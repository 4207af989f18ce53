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
  readonly listenUrl?: string | undefined;
}

/** A database on a pool of its own; one connection is made at once, so that a wrong address shows here. */
export async function openPgDatabase(url: string, options: OpenPgOptions): Promise<Database> {
  const { listenUrl, poolSize } = options;
  // One more for the connection that listens.
  const pool = createPool(url, poolSize + (listenUrl === undefined ? 1 : 0), options);
  const listenPool = listenUrl === undefined ? pool : createPool(listenUrl, 1, options);
  const database = createPgDatabase({
    pool,
    listenPool,
    logger: options.logger,
    prepare: options.prepare,
    async end() {
      await pool.end();
      if (listenPool !== pool) await listenPool.end();
    },
  });
  try {
    await database.query("select 1");
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

function createPool(url: string, max: number, options: OpenPgOptions): pg.Pool {
  checkUrl(url);
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: options.connectTimeoutMs,
    application_name: options.applicationName,
    keepAlive: true,
  });
  pool.on("error", (error) => options.logger.warn({ err: error }, "an idle connection to Postgres broke"));
  // Between two owners nobody else listens, and an error that nobody hears ends the process.
  pool.on("connect", (client) => {
    client.on("error", (error) => options.logger.debug({ err: error }, "a connection to Postgres broke"));
  });
  return pool;
}

function checkUrl(url: string): void {
  try {
    new pg.Client({ connectionString: url });
  } catch (error) {
    // The cause is left out: it repeats the URL, and with it a password.
    throw new DatabaseError("invalid_url", `The postgres:// URL cannot be read: ${whyUnreadable(error)}.`);
  }
}

function whyUnreadable(error: unknown): string {
  const { code, path } = error as NodeJS.ErrnoException;
  if (typeof path === "string") return `there is no reading the file ${path} that it names (${code})`;
  return "special characters of its user and password have to be percent-encoded, and a port is a number";
}
