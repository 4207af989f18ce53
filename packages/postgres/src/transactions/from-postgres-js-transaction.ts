import type { Transaction } from "@hookline/core";

/** The part of the `sql` that postgres.js hands to `begin` that is needed. */
export interface PostgresJsTransaction {
  // biome-ignore lint/suspicious/noExplicitAny: postgres.js has a type of its own for parameters
  unsafe(text: string, params: any[]): PromiseLike<readonly unknown[]>;
}

/**
 * A transaction of postgres.js, for whoever writes into it.
 *
 * @example
 * await sql.begin(async (sql) => {
 *   await sql`insert into orders …`;
 *   await dispatcher.publish(event, { transaction: fromPostgresJsTransaction(sql) });
 * });
 */
export function fromPostgresJsTransaction(sql: PostgresJsTransaction): Transaction {
  return {
    query: async <Row>(text: string, params: readonly unknown[] = []) =>
      [...(await sql.unsafe(text, [...params]))] as Row[],
  };
}
