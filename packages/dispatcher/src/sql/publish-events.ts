import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "./columns.js";

/** One event, ready to be stored. */
export interface EventRow {
  readonly id: string;
  readonly tenantId: string;
  readonly type: string;
  readonly subjectId: string | null;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly idempotencyKey: string | null;
  readonly orderingKey: string | null;
  readonly body: string;
  /** What an endpoint may say to get it, separated by spaces. */
  readonly patterns: string;
}

/** One row for each delivery made, or one with nulls for an event that nobody wanted. */
export interface PublishedRow {
  readonly event_id: string;
  readonly delivery_id: string | null;
  readonly endpoint_id: string | null;
  readonly version: number | null;
  readonly active: boolean | null;
}

export interface PublishEventsParams {
  readonly now: string;
  /** The time within a new delivery's id. */
  readonly idTime: string;
  /** When the lease of the deliveries runs out that are handed over directly; null leaves them in line. */
  readonly leasedUntil: string | null;
  /** Tells listening workers on commit. */
  readonly notifyChannel: string | null;
}

const COLUMNS = [
  ["id", "text"],
  ["tenant_id", "text"],
  ["type", "text"],
  ["subject_id", "text"],
  ["occurred_at", "timestamptz"],
  ["idempotency_key", "text"],
  ["ordering_key", "text"],
  ["body", "text"],
  ["patterns", "text"],
] as const;

/** Stores events and fans them out to the matching endpoints; an event whose key or id is known gives no row. */
export function publishEvents(schema: string) {
  const text = `
    with input as (
      select * from ${unpackColumns(COLUMNS)}
    ), stored as (
      insert into "${schema}".events
        (id, tenant_id, type, subject_id, occurred_at, stored_at, idempotency_key, ordering_key, body)
      select id, tenant_id, type, subject_id, occurred_at, $10::text::timestamptz, idempotency_key, ordering_key, body
      from input order by idempotency_key, position
      on conflict do nothing
      returning id, tenant_id
    ), matched as materialized (
      select 'dlv_' || $11::text || substr(replace(gen_random_uuid()::text, '-', ''), 1, 20) as id,
        stored.id as event_id, stored.tenant_id, endpoint.id as endpoint_id, endpoint.version, endpoint.active
      from stored
      join input on input.id = stored.id
      join "${schema}".endpoints endpoint
        on endpoint.tenant_id = stored.tenant_id and endpoint.events && string_to_array(input.patterns, ' ')
    ), queued as (
      insert into "${schema}".queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
      select id, event_id, endpoint_id, tenant_id,
        case when active then 0 else 1 end,
        active and $12::text is not null,
        1,
        case when active then coalesce($12::text, $10::text) else $10::text end::timestamptz
      from matched
    ), notified as (
      select pg_notify($13::text, '') from (select 1 from matched where active limit 1) as any_active
      where $13::text is not null
    )
    select stored.id as event_id, matched.id as delivery_id, matched.endpoint_id, matched.version, matched.active
    from stored
    left join matched on matched.event_id = stored.id
    left join notified on true`;

  return (query: SqlQuery, rows: readonly EventRow[], params: PublishEventsParams) =>
    query<PublishedRow>(text, [
      packColumn(rows, (row) => row.id),
      packColumn(rows, (row) => row.tenantId),
      packColumn(rows, (row) => row.type),
      packColumn(rows, (row) => row.subjectId),
      packColumn(rows, (row) => row.occurredAt),
      packColumn(rows, (row) => row.idempotencyKey),
      packColumn(rows, (row) => row.orderingKey),
      packColumn(rows, (row) => row.body),
      packColumn(rows, (row) => row.patterns),
      params.now,
      params.idTime,
      params.leasedUntil,
      params.notifyChannel,
    ]);
}
