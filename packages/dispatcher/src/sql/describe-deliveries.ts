import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import type { StoredAttemptRow } from "./list-attempts.js";

/** What a delivery is about, and its last attempt: nulls when there was none. */
export type DescribedDeliveryRow = {
  readonly delivery_id: string;
  readonly subject_id: string | null;
  readonly occurred_at: Date | null;
  readonly body: string | null;
} & (StoredAttemptRow | { readonly attempt: null });

/** Events and last attempts of deliveries of one tenant. */
export function describeDeliveries(schema: string) {
  const text = `
    select input.id as delivery_id, event.subject_id, event.occurred_at, event.body, last.attempt, last.started_at,
      last.duration_ms, last.outcome, last.status, last.error_code, last.reason, last.request_headers,
      last.response_body, last.phases, last.next_at
    from ${unpackColumns(
      [
        ["id", "text"],
        ["event_id", "text"],
      ],
      2,
    ).replace(" as t(", " as input(")}
    left join "${schema}".events event on event.id = input.event_id and event.tenant_id = $1::text
    left join lateral (
      select * from "${schema}".attempts attempt
      where attempt.delivery_id = input.id and attempt.tenant_id = $1::text
      order by attempt.attempt desc limit 1
    ) as last on true
    order by input.position`;

  return (
    query: SqlQuery,
    tenantId: string,
    deliveries: readonly { readonly id: string; readonly eventId: string | null }[],
  ) =>
    query<DescribedDeliveryRow>(text, [
      tenantId,
      packColumn(deliveries, ({ id }) => id),
      packColumn(deliveries, ({ eventId }) => eventId),
    ]);
}
