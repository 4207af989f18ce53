import type { Transaction } from "@hookline/core";
import { BUILT_IN_TYPES, type PgliteTransaction, runOnPglite } from "../pglite/own-pglite.js";
import { transactionClosed } from "../transaction-scope.js";
import { notATransaction } from "./not-a-transaction.js";

/**
 * A transaction of your own PGlite, for whoever writes into it; the rows hold the values that `Database` describes. What
 * stands on the same object through `fromPglite` waits until it has ended, so hand on this and await nothing else of it.
 *
 * @throws DatabaseError `query_failed` (with `sqlState`), `invalid_parameter`, `transaction_closed`, `not_a_transaction`
 *
 * @example
 * await pglite.transaction(async (tx) => {
 *   await tx.query("insert into orders …");
 *   await dispatcher.publish(event, { transaction: fromPgliteTransaction(tx) });
 * });
 */
export function fromPgliteTransaction(transaction: PgliteTransaction): Transaction {
  if (typeof transaction?.rollback !== "function") {
    throw notATransaction("fromPgliteTransaction", "the `tx` that `pglite.transaction(async (tx) => …)` hands over");
  }
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) => {
      if (transaction.closed) throw transactionClosed();
      return (await runOnPglite({ on: transaction, types: () => BUILT_IN_TYPES }, text, params)).rows as readonly Row[];
    },
  };
}
