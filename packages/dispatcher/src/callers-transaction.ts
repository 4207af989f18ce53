import type { OutboxOptions, SqlQuery, Transaction } from "@hookline/core";
import { DispatcherError } from "./errors.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const OPTIONS: FieldsOf<OutboxOptions> = { transaction: true };

/**
 * The transaction that a caller passed, or undefined. A driver's own object is refused: what it does not write into the
 * transaction would be delivered after a rollback.
 *
 * @throws DispatcherError `invalid_transaction`
 */
export function transactionOf(options: OutboxOptions): Transaction | undefined {
  if (options === null || typeof options !== "object" || "query" in options) {
    throw invalidTransaction("is passed as `{ transaction }`");
  }
  // Under a wrong name it would be none: what is published would be delivered after a rollback.
  const [unknown] = unknownFields(options, OPTIONS);
  if (unknown !== undefined) {
    throw invalidTransaction(`is passed as \`{ transaction }\`: ${unknown.path} ${unknown.message}`, unknown.path);
  }
  const { transaction } = options;
  if (transaction === undefined) return undefined;
  if (typeof transaction?.query !== "function") {
    throw invalidTransaction("has a query(text, params): make it with an adapter of @hookline/postgres");
  }
  return transaction;
}

/** @throws DispatcherError `invalid_transaction` when the answer is no list of rows, as that of a client of pg */
export function queryWithin(transaction: Transaction): SqlQuery {
  return async <Row>(text: string, params?: readonly unknown[]) => {
    const rows = await transaction.query<Row>(text, params);
    if (Array.isArray(rows)) return rows as readonly Row[];
    throw invalidTransaction(
      "answers the rows of a query: for a client of pg use createClientTransactions() of @hookline/postgres",
    );
  };
}

function invalidTransaction(message: string, path = "transaction"): DispatcherError {
  return new DispatcherError("invalid_transaction", `The transaction ${message}.`, {
    issues: [{ path, message }],
  });
}
