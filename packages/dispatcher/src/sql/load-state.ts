import type { SqlQuery } from "@hookline/core";

/** What a destination keeps for an endpoint and entity, as JSON text. */
export function loadState(schema: string) {
  const text = `select state from "${schema}".states where endpoint_id = $1::text and entity = $2::text`;

  return (query: SqlQuery, endpointId: string, entity: string) =>
    query<{ readonly state: string }>(text, [endpointId, entity]);
}
