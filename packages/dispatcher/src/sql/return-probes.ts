import type { SqlQuery } from "@hookline/core";
import { packColumn } from "./columns.js";

/** Lets another delivery be the probe of these endpoints, whose circuit breaker is open, right now. */
export function returnProbes(schema: string) {
  const text = `
    update "${schema}".endpoints set circuit_until = $2::text::timestamptz
    where id = any(string_to_array($1::text, E'\\x1e')) and openings > 0`;

  return (query: SqlQuery, ids: readonly string[], now: string) => query(text, [packColumn(ids, (id) => id), now]);
}
