import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

export interface ListEndpointsParams {
  readonly tenantId: string;
  readonly destination: string | null;
  readonly name: string | null;
  /** Only ids after this one. */
  readonly after: string | null;
  readonly limit: number;
}

/** A tenant's endpoints, oldest first. A name has an index of its own, so it has a text of its own too. */
export function listEndpoints(schema: string) {
  const textOf = (ofName: string) => `
    select ${ENDPOINT_COLUMNS} from "${schema}".endpoints
    where tenant_id = $1::text and ($2::text is null or destination = $2::text) and ($3::text is null or id > $3::text)
      ${ofName}
    order by id
    limit $4::integer`;
  const texts = { all: textOf(""), named: textOf("and name is not null and name = $5::text") };

  return (query: SqlQuery, params: ListEndpointsParams) =>
    params.name === null
      ? query<EndpointRow>(texts.all, [params.tenantId, params.destination, params.after, params.limit])
      : query<EndpointRow>(texts.named, [params.tenantId, params.destination, params.after, params.limit, params.name]);
}
