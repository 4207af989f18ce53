import type { SqlQuery } from "@hookline/core";
import type { BodyTable } from "./old-rows.js";

/** Clears away what is left of rows that are gone, for a database that does not do so by itself. */
export function vacuumTable(schema: string) {
  return (query: SqlQuery, table: BodyTable | "queue" | "attempts") => query(`vacuum (analyze) "${schema}".${table}`);
}
