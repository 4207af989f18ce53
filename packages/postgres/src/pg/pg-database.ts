import type { Logger } from "@hookline/core";
import type { Database } from "../database.js";
import { createDatabaseFace } from "../database-face.js";
import { isDatabaseError } from "../errors.js";
import { type RunResult, runTransaction } from "../run-transaction.js";
import { createRunningWork } from "../running-work.js";
import { createTransactionScopes, type SCOPES, type TransactionScopes } from "../transaction-scope.js";
import { toDatabaseError } from "./pg-error.js";
import { createPgListener } from "./pg-listener.js";
import { createClientRunner } from "./pg-session.js";
import type { PgClient, PgPool } from "./pool-face.js";
import { createPreparedNames, isMixedUp } from "./prepared-names.js";

export interface PgDatabaseOptions {
  readonly pool: PgPool;
  /** Where `listen` takes its client. */
  readonly listenPool: PgPool;
  readonly logger: Logger;
  readonly prepare: boolean;
  /** Closes what was opened for this database. */
  readonly end: () => Promise<void>;
}

const MIXED_UP =
  "a pooler hands connections around and does not keep their prepared statements: none are prepared from now on";

/** The port on a node-postgres pool. */
export function createPgDatabase({
  pool,
  listenPool,
  logger,
  prepare,
  end,
}: PgDatabaseOptions): Database & { readonly [SCOPES]: TransactionScopes } {
  const scopes = createTransactionScopes();
  const names = createPreparedNames(prepare);
  const listener = createPgListener({
    pool: listenPool,
    logger,
    notify: (channel) => execute("select pg_notify($1, '')", [channel]),
  });
  const running = createRunningWork();

  async function withClient<T>(fn: (session: PgSession) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    let failure: unknown;
    // While a client is checked out, the pool does not listen for its errors, and an unheard one ends the process.
    const onError = (error: unknown) => {
      failure = error;
    };
    client.on("error", onError);
    const runOnClient = createClientRunner(client);
    const session: PgSession = {
      async run(text, params) {
        try {
          return await runOnClient({ text, params, name: names.nameOf(text) });
        } catch (error) {
          if (names.heed(error)) logger.warn({ err: error }, MIXED_UP);
          if (leavesClientUnusable(error)) failure = error;
          throw error;
        }
      },
      broken(error) {
        failure = error;
      },
    };
    try {
      return await fn(session);
    } finally {
      client.removeListener("error", onError);
      release(client, failure);
    }
  }

  function execute(text: string, params: readonly unknown[]): Promise<RunResult> {
    return running.track(
      withClient((session) => session.run(text, params)).catch((error: unknown) => {
        if (!isStalePlan(error)) throw error;
        // Nothing was done, and the connection that held the stale plan is gone.
        return withClient((session) => session.run(text, params));
      }),
    );
  }

  return createDatabaseFace({
    kind: "postgres",
    scopes,
    execute,
    transaction: (fn) => running.track(withClient((session) => runTransaction({ scopes, logger }, session, fn))),
    listen: listener.listen,
    async close() {
      await listener.close();
      await running.settled();
      await end();
    },
  });
}

interface PgSession {
  run(text: string, params: readonly unknown[]): Promise<RunResult>;
  broken(error: unknown): void;
}

function release(client: PgClient, failure: unknown): void {
  if (failure === undefined) client.release();
  else client.release(true);
}

function leavesClientUnusable(error: unknown): boolean {
  return !isDatabaseError(error) || error.code === "connection_failed" || isStalePlan(error);
}

// 0A000: the result of a prepared statement changed with its table.
function isStalePlan(error: unknown): boolean {
  return isMixedUp(error) || (isDatabaseError(error) && error.sqlState === "0A000");
}
