import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

export interface ListEndpointsParams {
  readonly tenantId: string;
  readonly destination: string | null;
  /** Only ids after this one. */
  readonly after: string | null;
  readonly limit: number;
}

/** A tenant's endpoints, oldest first. */
export function listEndpoints(schema: string) {
  const text = `
    select ${ENDPOINT_COLUMNS} from "${schema}".endpoints
    where tenant_id = $1::text and ($2::text is null or destination = $2::text) and ($3::text is null or id > $3::text)
    order by id
    limit $4::integer`;

  return (query: SqlQuery, params: ListEndpointsParams) =>
    query<EndpointRow>(text, [params.tenantId, params.destination, params.after, params.limit]);
}
