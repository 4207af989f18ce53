import type { SqlQuery } from "@hookline/core";

/** Deletes an endpoint with its secrets and states. What is held for it is left as it is: that may be much. */
export function deleteEndpoint(schema: string) {
  const text = `
    with deleted as (
      delete from "${schema}".endpoints where id = $1::text and tenant_id = $2::text returning id
    ), forgotten as (
      delete from "${schema}".states where endpoint_id in (select id from deleted)
    )
    select id from deleted`;

  return (query: SqlQuery, endpoint: { readonly tenantId: string; readonly id: string }) =>
    query<{ readonly id: string }>(text, [endpoint.id, endpoint.tenantId]);
}
