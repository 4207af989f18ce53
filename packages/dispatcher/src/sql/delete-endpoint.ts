import type { SqlQuery } from "@hookline/core";

/** Deletes an endpoint with its secrets and states; what was held for it goes back in line, where it ends as dead. */
export function deleteEndpoint(schema: string) {
  const text = `
    with deleted as (
      delete from "${schema}".endpoints where id = $1::text and tenant_id = $2::text returning id
    ), forgotten as (
      delete from "${schema}".states where endpoint_id in (select id from deleted)
    ), released as (
      update "${schema}".queue set state = 0, next_at = $3::text::timestamptz
      where endpoint_id in (select id from deleted) and state <> 0
    )
    select id from deleted`;

  return (query: SqlQuery, endpoint: { readonly tenantId: string; readonly id: string }, now: string) =>
    query<{ readonly id: string }>(text, [endpoint.id, endpoint.tenantId, now]);
}
