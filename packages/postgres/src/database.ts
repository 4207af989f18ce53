import type { SqlQuery, Transaction } from "@hookline/core";

/** What {@link Database.execute} answers. */
export interface ExecuteResult<Row> {
  readonly rows: readonly Row[];
  /** How many rows the statement answered, inserted, changed or deleted. */
  readonly rowCount: number;
  /** The server's own word for what it did: `SELECT`, `INSERT`, `COMMIT` … */
  readonly command: string;
}

/** {@link SqlQuery} that also answers how many rows were touched. */
export type SqlExecute = <Row = Record<string, unknown>>(
  text: string,
  params?: readonly unknown[],
) => Promise<ExecuteResult<Row>>;

/** A transaction of ours: it ends with the function that {@link Database.transaction} was given. */
export interface DatabaseTransaction extends Transaction {
  readonly execute: SqlExecute;
  /**
   * Calls back once, in the order of registration, after a successful commit; never after a rollback. A rollback to a
   * savepoint takes nothing back: let the callback look at what was committed instead of remembering what was written.
   */
  readonly afterCommit: (callback: () => void) => void;
}

/**
 * A Postgres, embedded or on a server, behind the smallest face that serves both.
 *
 * Values read: int2, int4, int8, oid and floats as number, bool as boolean, timestamptz as Date, bytea as Uint8Array,
 * json and jsonb parsed, arrays of these as arrays; everything else (text, uuid, numeric, date, timestamp, interval …)
 * as the text that Postgres writes. Parameters: strings, numbers, booleans, null, Dates, Uint8Arrays, arrays of these;
 * JSON goes in as text.
 *
 * Without parameters a text may hold several statements (they succeed or fail together); the rows are the last one's.
 */
export interface Database {
  readonly kind: "pglite" | "postgres";
  /** @throws DatabaseError `query_failed` (with `sqlState`), `connection_failed`, `nested_query`, `closed` */
  readonly query: SqlQuery;
  /** {@link Database.query} with the number of rows touched. */
  readonly execute: SqlExecute;
  /**
   * Runs `fn` between BEGIN and COMMIT; its throw rolls back and is thrown on. Use only the given transaction inside:
   * this database's own `query` and `transaction` answer `nested_query` there.
   *
   * @throws DatabaseError `transaction_aborted` when a failed statement was swallowed and the commit became a rollback;
   * `connection_failed` during COMMIT leaves open whether it happened, as with any Postgres.
   */
  transaction<T>(fn: (transaction: DatabaseTransaction) => Promise<T>): Promise<T>;
  /**
   * Calls back for each NOTIFY on the channel; the answer ends it. After a lost connection it listens again and calls
   * back once with an empty payload, since notifications may have been missed: treat one as "look now", never as data.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /** Lets running transactions end, then closes. What comes later fails with `closed`. */
  close(): Promise<void>;
}
