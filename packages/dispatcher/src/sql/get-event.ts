import type { SqlQuery } from "@hookline/core";
import type { StoredEventRow } from "./list-events.js";

/** One event of a tenant. */
export function getEvent(schema: string) {
  const text = `
    select id, tenant_id, type, subject_id, occurred_at, body, expunged_at from "${schema}".events
    where id = $1::text and tenant_id = $2::text`;

  return (query: SqlQuery, event: { readonly tenantId: string; readonly id: string }) =>
    query<StoredEventRow & { readonly expunged_at: Date | null }>(text, [event.id, event.tenantId]);
}
