import type { Transaction } from "@hookline/core";
import { notATransaction } from "./not-a-transaction.js";

/** The part of the `sql` that postgres.js hands to `begin`, or that it reserved, that is needed. */
export type PostgresJsTransaction = PostgresJsQueries & (Begun | Reserved);

interface PostgresJsQueries {
  // biome-ignore lint/suspicious/noExplicitAny: postgres.js has a type of its own for parameters
  unsafe(text: string, params: any[]): PromiseLike<readonly unknown[]>;
}

interface Begun {
  // biome-ignore lint/suspicious/noExplicitAny: with and without a name; never called here
  savepoint(...args: any[]): unknown;
}

/** One connection, on which its owner began a transaction by hand. */
interface Reserved {
  release(): void;
}

/**
 * A transaction of postgres.js, for whoever writes into it.
 *
 * @throws DatabaseError `not_a_transaction`
 *
 * @example
 * await sql.begin(async (sql) => {
 *   await sql`insert into orders …`;
 *   await dispatcher.publish(event, { transaction: fromPostgresJsTransaction(sql) });
 * });
 */
export function fromPostgresJsTransaction(sql: PostgresJsTransaction): Transaction {
  if (!isOneConnection(sql)) {
    throw notATransaction("fromPostgresJsTransaction", "the `sql` that `sql.begin(async (sql) => …)` hands over");
  }
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) =>
      [...(await sql.unsafe(text, [...params]))] as Row[],
  };
}

/** The `sql` beside it takes any connection of its pool. */
function isOneConnection(sql: Partial<Begun & Reserved> | null | undefined): boolean {
  return typeof sql?.savepoint === "function" || typeof sql?.release === "function";
}
