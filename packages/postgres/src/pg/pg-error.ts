import { DatabaseError, isDatabaseError } from "../errors.js";

const CONNECTION_CODES = /^(08|57P0)/;

/** Turns what node-postgres throws into a {@link DatabaseError}. */
export function toDatabaseError(error: unknown): DatabaseError {
  if (isDatabaseError(error)) return error;
  const { code, constraint, severity } = fieldsOf(error);
  if (severity !== undefined && code !== undefined && !CONNECTION_CODES.test(code)) {
    return new DatabaseError("query_failed", messageOf(error), { cause: error, sqlState: code, constraint });
  }
  const sqlState = severity === undefined ? undefined : code;
  return new DatabaseError("connection_failed", `The connection to Postgres failed: ${messageOf(error)}`, {
    cause: error,
    sqlState,
  });
}

function fieldsOf(error: unknown): { code?: string; constraint?: string; severity?: string } {
  return typeof error === "object" && error !== null ? error : {};
}

// With several addresses for a host, Node throws an AggregateError whose own message is empty.
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return [...new Set(error.errors.map((each) => messageOf(each)))].join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
