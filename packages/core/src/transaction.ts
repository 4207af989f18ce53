/**
 * Runs one SQL statement with `$1`, `$2` … parameters and answers its rows.
 *
 * Parameters are strings, numbers, booleans, null, Dates, Uint8Arrays, or arrays of these.
 */
export type SqlQuery = <Row = Record<string, unknown>>(
  text: string,
  params?: readonly unknown[],
) => Promise<readonly Row[]>;

/**
 * A Postgres transaction that its owner has opened and will commit or roll back.
 *
 * Any driver's will do: `{ query: async (text, params) => (await client.query(text, params)).rows }`.
 */
export interface Transaction {
  readonly query: SqlQuery;
  /**
   * Calls back once, after the commit, and never after a rollback. Where a driver cannot say so, leave it out:
   * what was written is then found by the next poll instead of being handed over at once.
   */
  readonly afterCommit?: (callback: () => void) => void;
}
