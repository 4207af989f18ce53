import type { Logger } from "@hookline/core";
import type { Database } from "../database.js";
import { createDatabaseFace } from "../database-face.js";
import { isDatabaseError } from "../errors.js";
import { type RunResult, runTransaction } from "../run-transaction.js";
import { createRunningWork } from "../running-work.js";
import { createStatementNames } from "../statement-names.js";
import { createTransactionScopes, type SCOPES, type TransactionScopes } from "../transaction-scope.js";
import { toDatabaseError } from "./pg-error.js";
import { createPgListener } from "./pg-listener.js";
import { createClientRunner } from "./pg-session.js";
import type { PgClient, PgPool } from "./pool-face.js";

export interface PgDatabaseOptions {
  readonly pool: PgPool;
  readonly logger: Logger;
  readonly prepare: boolean;
  /** Closes what was opened for this database. */
  readonly end: () => Promise<void>;
}

/** The port on a node-postgres pool. */
export function createPgDatabase({
  pool,
  logger,
  prepare,
  end,
}: PgDatabaseOptions): Database & { readonly [SCOPES]: TransactionScopes } {
  const scopes = createTransactionScopes();
  const nameOf = prepare ? createStatementNames() : () => undefined;
  const listener = createPgListener({ pool, logger });
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
          return await runOnClient({ text, params, name: nameOf(text) });
        } catch (error) {
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

// 0A000: the result of a prepared statement changed with its table. 26000: a pooler forgot the statement.
function isStalePlan(error: unknown): boolean {
  return isDatabaseError(error) && (error.sqlState === "0A000" || error.sqlState === "26000");
}
