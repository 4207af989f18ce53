import type { Logger } from "@hookline/core";
import type { DatabaseTransaction, ExecuteResult } from "./database.js";
import { DatabaseError } from "./errors.js";
import type { TransactionScope, TransactionScopes } from "./transaction-scope.js";

/** One connection, for as long as one transaction. */
export interface Session {
  run(text: string, params: readonly unknown[]): Promise<RunResult>;
}

export type RunResult = ExecuteResult<unknown>;

export interface TransactionHost {
  readonly scopes: TransactionScopes;
  readonly logger: Logger;
}

/**
 * BEGIN, `fn`, COMMIT on a session that nobody else uses meanwhile; ROLLBACK when `fn` throws.
 *
 * A session on which the ROLLBACK itself fails is handed to `broken`.
 */
export async function runTransaction<T>(
  host: TransactionHost,
  session: Session & { broken(error: unknown): void },
  fn: (transaction: DatabaseTransaction) => Promise<T>,
): Promise<{ readonly value: T; readonly afterCommit: () => void }> {
  await session.run("BEGIN", []);
  const scope = host.scopes.open();
  const transaction = transactionWithin(scope, session);
  let value: T;
  try {
    value = await host.scopes.run(scope, () => fn(transaction));
  } catch (error) {
    scope.close();
    await session.run("ROLLBACK", []).catch((failure: unknown) => session.broken(failure));
    throw error;
  }
  scope.close();
  const { command } = await session.run("COMMIT", []).catch((error: unknown) => {
    session.broken(error);
    throw error;
  });
  if (command !== "COMMIT") throw transactionAborted();
  return { value, afterCommit: () => runCallbacks(scope.callbacks, host.logger) };
}

/** What `fn` works with: the session, until the scope is closed. */
export function transactionWithin(scope: TransactionScope, session: Session): DatabaseTransaction {
  const execute = async (text: string, params: readonly unknown[] = []) => {
    scope.assertOpen();
    return session.run(text, params);
  };
  return {
    execute: execute as DatabaseTransaction["execute"],
    query: (async (text: string, params?: readonly unknown[]) =>
      (await execute(text, params)).rows) as DatabaseTransaction["query"],
    afterCommit: scope.afterCommit,
  };
}

/** A COMMIT that became a rollback. */
export function transactionAborted(cause?: unknown): DatabaseError {
  return new DatabaseError(
    "transaction_aborted",
    "The transaction was rolled back instead of committed: one of its statements had failed.",
    { cause },
  );
}

/** Calls back what waited for the commit, in order. */
export function runCallbacks(callbacks: readonly (() => void)[], logger: Logger): void {
  for (const callback of callbacks) {
    try {
      callback();
    } catch (error) {
      // The commit has happened: its caller must not read a failed callback as a failed transaction.
      logger.error({ err: error }, "an after-commit callback threw");
    }
  }
}
