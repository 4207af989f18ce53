import type { SqlQuery } from "@hookline/core";
import { endpointsOutside } from "./endpoints-outside.js";

/** Active endpoints with deliveries outside the line: of a busy worker that is gone, or held while it was disabled. */
export function findSetAside(schema: string) {
  const text = `
    with recursive ${endpointsOutside(schema)}
    select endpoint.id from endpoint join "${schema}".endpoints known on known.id = endpoint.id and known.active
    limit 1000`;

  return (query: SqlQuery) => query<{ readonly id: string }>(text);
}
