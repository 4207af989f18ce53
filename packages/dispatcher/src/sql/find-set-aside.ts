import type { SqlQuery } from "@hookline/core";
import { endpointsOutside } from "./endpoints-outside.js";

/** Active endpoints with deliveries outside the line that nothing keeps there: of a busy worker that is gone, say. */
export function findSetAside(schema: string) {
  const text = `
    with recursive ${endpointsOutside(schema)}
    select endpoint.id from endpoint join "${schema}".endpoints known on known.id = endpoint.id and known.active
    where coalesce(greatest(known.circuit_until, known.held_until) <= $1::text::timestamptz, true)
    limit 1000`;

  return (query: SqlQuery, now: string) => query<{ readonly id: string }>(text, [now]);
}
