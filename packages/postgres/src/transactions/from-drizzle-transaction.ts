import type { Transaction } from "@hookline/core";
import { notATransaction } from "./not-a-transaction.js";

/** The part of a Drizzle transaction on Postgres that is needed. */
export interface DrizzleTransaction<Query> {
  // biome-ignore lint/suspicious/noExplicitAny: Drizzle's own overloads differ by driver
  execute(query: Query): PromiseLike<any>;
  /** Only a transaction has it. */
  rollback(): unknown;
}

/** The part of Drizzle's `sql` that is needed. */
export interface DrizzleSql<Query> {
  raw(text: string): Query;
  param(value: unknown): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: takes what `raw` and `param` answer
  join(chunks: any[]): Query;
}

/**
 * A transaction of Drizzle on any of its Postgres drivers with transactions (node-postgres, postgres.js, PGlite …),
 * for whoever writes into it. `sql` is Drizzle's own.
 *
 * @throws DatabaseError `not_a_transaction`
 *
 * @example
 * import { sql } from "drizzle-orm";
 *
 * await db.transaction(async (tx) => {
 *   await tx.insert(orders).values(order);
 *   await dispatcher.publish(event, { transaction: fromDrizzleTransaction(tx, sql) });
 * });
 */
export function fromDrizzleTransaction<Query>(
  transaction: DrizzleTransaction<Query>,
  sql: DrizzleSql<Query>,
): Transaction {
  if (typeof transaction?.rollback !== "function") {
    throw notATransaction(
      "fromDrizzleTransaction",
      "the `tx` that `db.transaction(async (tx) => …)` hands over, not `db`",
    );
  }
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) => {
      // Drizzle numbers its parameters itself: texts and parameters take turns here.
      const chunks = text.split(/\$(\d+)/).map((part, index) => {
        return index % 2 === 0 ? sql.raw(part) : sql.param(params[Number(part) - 1]);
      });
      const answer: readonly Row[] | { readonly rows: readonly Row[] } = await transaction.execute(sql.join(chunks));
      return "rows" in answer ? answer.rows : answer;
    },
  };
}
