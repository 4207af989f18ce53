import type { SqlQuery } from "@hookline/core";
import type { EndpointRow } from "./endpoint-row.js";

export type EncryptedEndpoint = Pick<EndpointRow, "id" | "tenant_id" | "target" | "secrets">;

/** What is encrypted of the endpoints of every tenant, behind that of an id. */
export function listEncrypted(schema: string) {
  const text = `
    select id, tenant_id, target, secrets from "${schema}".endpoints
    where id > $1::text
    order by id
    limit $2::integer`;

  return (query: SqlQuery, page: { readonly after: string; readonly limit: number }) =>
    query<EncryptedEndpoint>(text, [page.after, page.limit]);
}
