import type { Transaction } from "@hookline/core";

/** The part of the transaction that PGlite hands to its own `transaction` that is needed. */
export interface PgliteTransaction {
  query(text: string, params: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/**
 * A transaction of your own PGlite, for whoever writes into it.
 *
 * @example
 * await pglite.transaction(async (tx) => {
 *   await tx.query("insert into orders …");
 *   await dispatcher.publish(event, { transaction: fromPgliteTransaction(tx) });
 * });
 */
export function fromPgliteTransaction(transaction: PgliteTransaction): Transaction {
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) =>
      (await transaction.query(text, [...params])).rows as Row[],
  };
}
