import type { SqlQuery } from "@hookline/core";
import { type EventRow, newDeliveryId, type PublishEventsParams } from "./publish-events.js";

/**
 * {@link publishEvents} for one event without an ordering key whose deliveries stay in line, as a transaction of the
 * caller's publishes it: the same rows by a statement of a third of the cost. Answers the event's id, or no row when
 * its key or id is known.
 */
export function publishEvent(schema: string) {
  const quiet = statement(schema, { notifies: false });
  const notifying = statement(schema, { notifies: true });

  return (query: SqlQuery, row: EventRow, params: Omit<PublishEventsParams, "leasedUntil">) => {
    const values = [
      row.id,
      row.tenantId,
      row.type,
      row.subjectId,
      row.occurredAt,
      row.idempotencyKey,
      row.body,
      row.patterns,
      params.now,
      params.idPrefix,
      row.traceContext,
    ];
    return params.notifyChannel === null
      ? query<{ readonly event_id: string }>(quiet, values)
      : query<{ readonly event_id: string }>(notifying, [...values, params.notifyChannel]);
  };
}

function statement(schema: string, { notifies }: { readonly notifies: boolean }): string {
  return `
    with stored as (
      insert into "${schema}".events
        (id, tenant_id, type, subject_id, occurred_at, stored_at, idempotency_key, body, trace_context)
      values ($1, $2, $3, $4, $5::text::timestamptz, $9::text::timestamptz, $6, $7, $11)
      on conflict do nothing
      returning id
    ), queued as (
      insert into "${schema}".queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
      select ${newDeliveryId("$10")}, stored.id, endpoint.id, $2, case when endpoint.active then 0 else 1 end, false, 1,
        $9::text::timestamptz
      from stored
      join "${schema}".endpoints endpoint
        on endpoint.tenant_id = $2 and endpoint.events && string_to_array($8::text, ' ')
      returning state
    )${notifies ? NOTIFIED : ""}
    select stored.id as event_id from stored${notifies ? " left join notified on true" : ""}`;
}

const NOTIFIED = `, notified as (
      select pg_notify($12::text, $9::text) from (select 1 from queued where state = 0 limit 1) as any_active
    )`;
