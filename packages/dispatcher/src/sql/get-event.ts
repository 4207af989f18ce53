import type { SqlQuery } from "@hookline/core";
import type { StoredEventRow } from "./list-events.js";

/** One event of a tenant. */
export function getEvent(schema: string) {
  const text = `
    select id, tenant_id, type, subject_id, occurred_at, body from "${schema}".events
    where id = $1::text and tenant_id = $2::text`;

  return (query: SqlQuery, event: { readonly tenantId: string; readonly id: string }) =>
    query<StoredEventRow>(text, [event.id, event.tenantId]);
}
