import type { SqlQuery } from "@hookline/core";

/** Ends a recovery that runs, after the page that a worker is just putting back. */
export function cancelRecovery(schema: string) {
  const text = `
    update "${schema}".recoveries set status = 'cancelled', updated_at = $3::text::timestamptz,
      ended_at = $3::text::timestamptz
    where id = $1::text and tenant_id = $2::text and status = 'running'`;

  return (query: SqlQuery, recovery: { readonly tenantId: string; readonly id: string }, now: string) =>
    query(text, [recovery.id, recovery.tenantId, now]);
}
