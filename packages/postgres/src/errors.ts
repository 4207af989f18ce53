import { isErrorNamed } from "@hookline/core";

/** What can go wrong with a database, for programs. The README says what to do about each. */
export type DatabaseErrorCode =
  | "invalid_url"
  | "invalid_schema"
  | "invalid_parameter"
  | "invalid_key"
  | "directory_locked"
  | "directory_corrupt"
  | "directory_unusable"
  | "connection_failed"
  | "query_failed"
  | "value_out_of_range"
  | "nested_query"
  | "transaction_aborted"
  | "transaction_closed"
  | "not_a_transaction"
  | "migration_failed"
  | "decrypt_failed"
  | "closed";

export interface DatabaseErrorOptions {
  readonly cause?: unknown;
  readonly sqlState?: string | undefined;
  readonly constraint?: string | undefined;
}

/** Every error that this package throws. Messages hold neither passwords nor the values of parameters. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: DatabaseErrorCode;
  /** The server's five characters, such as `23505` for a unique violation; only with `query_failed` and `connection_failed`. */
  declare readonly sqlState?: string;
  /** The constraint that a write would have broken. */
  declare readonly constraint?: string;

  constructor(code: DatabaseErrorCode, message: string, options: DatabaseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.sqlState !== undefined) this.sqlState = options.sqlState;
    if (options.constraint !== undefined) this.constraint = options.constraint;
  }
}

/** Tells a {@link DatabaseError}, also one of another copy of this package. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return isErrorNamed(error, "DatabaseError");
}
