import type { SqlQuery } from "@hookline/core";
import { type EventRow, HEALTH, newDeliveryId, type PublishEventsParams, type PublishedRow } from "./publish-events.js";

/**
 * {@link publishEvents} for one event without an ordering key whose deliveries stay in line: the same rows by a statement
 * of a third of the cost. Answers the event's id, or no row when its key or id is known.
 */
export function publishEvent(schema: string) {
  const quiet = inLine(schema, { notifies: false });
  const notifying = inLine(schema, { notifies: true });

  return (query: SqlQuery, row: EventRow, params: Omit<PublishEventsParams, "leasedUntil">) => {
    const values = valuesOf(row, params);
    return params.notifyChannel === null
      ? query<{ readonly event_id: string }>(quiet, values)
      : query<{ readonly event_id: string }>(notifying, [...values, params.notifyChannel]);
  };
}

/** {@link publishEvent} with deliveries under a lease, and the answer of {@link publishEvents}. */
export function publishLeasedEvent(schema: string) {
  const text = underLease(schema);
  return (query: SqlQuery, row: EventRow, params: PublishEventsParams) =>
    query<PublishedRow>(text, [...valuesOf(row, params), params.leasedUntil]);
}

function valuesOf(row: EventRow, { now, idPrefix }: Pick<PublishEventsParams, "now" | "idPrefix">) {
  return [
    row.id,
    row.tenantId,
    row.type,
    row.subjectId,
    row.occurredAt,
    row.idempotencyKey,
    row.body,
    row.patterns,
    now,
    idPrefix,
    row.traceContext,
  ];
}

function inLine(schema: string, { notifies }: { readonly notifies: boolean }): string {
  return `
    with ${stored(schema)}, queued as (
      insert into "${schema}".queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
      select ${newDeliveryId("$10")}, stored.id, endpoint.id, $2, case when endpoint.active then 0 else 1 end, false, 1,
        $9::text::timestamptz
      ${matching(schema)}
      returning state
    )${notifies ? NOTIFIED : ""}
    select stored.id as event_id from stored${notifies ? " left join notified on true" : ""}`;
}

function underLease(schema: string): string {
  return `
    with ${stored(schema)}, matched as materialized (
      select ${newDeliveryId("$10")} as id, endpoint.id as endpoint_id, endpoint.version, endpoint.active, ${HEALTH}
      ${matching(schema)}
    ), queued as (
      insert into "${schema}".queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
      select id, $1, endpoint_id, $2, case when active then 0 else 1 end, active, 1,
        case when active then $12::text else $9::text end::timestamptz
      from matched
    )
    select stored.id as event_id, matched.id as delivery_id, matched.endpoint_id, matched.version,
      matched.active as leased, matched.failures, matched.openings, matched.blocked_until
    from stored left join matched on true`;
}

function stored(schema: string): string {
  return `stored as (
      insert into "${schema}".events
        (id, tenant_id, type, subject_id, occurred_at, stored_at, idempotency_key, body, trace_context)
      values ($1, $2, $3, $4, $5::text::timestamptz, $9::text::timestamptz, $6, $7, $11)
      on conflict do nothing
      returning id
    )`;
}

function matching(schema: string): string {
  return `from stored
      join "${schema}".endpoints endpoint
        on endpoint.tenant_id = $2 and endpoint.events && string_to_array($8::text, ' ')`;
}

const NOTIFIED = `, notified as (
      select pg_notify($12::text, $9::text) from (select 1 from queued where state = 0 limit 1) as any_active
    )`;
