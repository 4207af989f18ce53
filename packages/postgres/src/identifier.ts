import { DatabaseError } from "./errors.js";

/** An identifier as SQL text, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Answers the name when it can stand in SQL without quotes: lower-case letters, digits, `_`, at most 63.
 *
 * @throws DatabaseError `invalid_schema`
 */
export function checkSchemaName(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith("pg_")) return name;
  throw new DatabaseError(
    "invalid_schema",
    `"${name}" is no schema name for Hookline: lower-case letters, digits and _ only, at most 63, not starting with pg_.`,
  );
}
