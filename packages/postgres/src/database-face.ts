import type { Database, DatabaseTransaction } from "./database.js";
import { DatabaseError } from "./errors.js";
import type { RunResult } from "./run-transaction.js";
import { SCOPES, type TransactionScopes } from "./transaction-scope.js";

/** What an adapter does, called outside of its own transactions and while it is open. */
export interface DatabaseWork {
  readonly kind: Database["kind"];
  readonly scopes: TransactionScopes;
  execute(text: string, params: readonly unknown[]): Promise<RunResult>;
  transaction<T>(
    fn: (transaction: DatabaseTransaction) => Promise<T>,
  ): Promise<{ readonly value: T; readonly afterCommit: () => void }>;
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /** Called once. */
  close(): Promise<void>;
}

/** The port that every adapter shows: it refuses what comes from inside its own transaction, or after its close. */
export function createDatabaseFace(work: DatabaseWork): Database & { readonly [SCOPES]: TransactionScopes } {
  const { scopes } = work;
  let closing: Promise<void> | undefined;

  function enter(what: string): void {
    scopes.assertOutside(what);
    if (closing !== undefined) throw new DatabaseError("closed", "The database is closed.");
  }

  async function execute(text: string, params: readonly unknown[] = []): Promise<RunResult> {
    enter("query");
    return work.execute(text, params);
  }

  return {
    kind: work.kind,
    [SCOPES]: scopes,
    execute: execute as Database["execute"],
    query: (async (text: string, params?: readonly unknown[]) =>
      (await execute(text, params)).rows) as Database["query"],
    async transaction(fn) {
      enter("transaction");
      const { value, afterCommit } = await work.transaction(fn);
      afterCommit();
      return value;
    },
    async listen(channel, onNotify) {
      enter("listen");
      return work.listen(channel, onNotify);
    },
    async close() {
      scopes.assertOutside("close");
      closing ??= work.close();
      return closing;
    },
  };
}
