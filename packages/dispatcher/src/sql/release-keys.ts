import type { SqlQuery } from "@hookline/core";
import type { BodyTable } from "./old-rows.js";

/** Lets idempotency keys go that stand for what was stored too long ago. */
export function releaseKeys(schema: string) {
  const textOf = (table: BodyTable) => `
    update "${schema}".${table} set idempotency_key = null where id = any(string_to_array($1::text, E'\\x1e'))`;

  return (query: SqlQuery, table: BodyTable, ids: readonly string[]) => query(textOf(table), [ids.join("\u001e")]);
}
