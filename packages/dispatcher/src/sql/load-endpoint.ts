import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

/** One endpoint, whoever it belongs to. */
export function loadEndpoint(schema: string) {
  const text = `select ${ENDPOINT_COLUMNS} from "${schema}".endpoints where id = $1::text`;

  return (query: SqlQuery, id: string) => query<EndpointRow>(text, [id]);
}
