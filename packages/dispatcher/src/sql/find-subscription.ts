import type { SqlQuery } from "@hookline/core";

/** The endpoint that a subscription has made. */
export function findSubscription(schema: string) {
  const text = `select id from "${schema}".endpoints where tenant_id = $1::text and key = $2::text`;

  return (query: SqlQuery, subscription: { readonly tenantId: string; readonly key: string }) =>
    query<{ readonly id: string }>(text, [subscription.tenantId, subscription.key]);
}
