import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import { nextPlace, placeKey } from "./ordering.js";

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
  /** Of whoever publishes; see the migration. */
  readonly traceContext: string | null;
}

/** One row for each delivery made, or one with nulls for an event that nobody wanted; of new events, none for that. */
export interface PublishedRow {
  readonly event_id: string;
  readonly delivery_id: string | null;
  readonly endpoint_id: string | null;
  readonly version: number | null;
  /** Under a lease of the publisher's. */
  readonly leased: boolean | null;
  /** Of the endpoint: 0 for a healthy one. */
  readonly failures: number | null;
  readonly openings: number | null;
  readonly blocked_until: Date | null;
}

export interface PublishEventsParams {
  readonly now: string;
  /** What the ids of new deliveries begin with; no other call has it. */
  readonly idPrefix: string;
  /** When the lease of the deliveries runs out that are handed over directly; null leaves them in line. */
  readonly leasedUntil: string | null;
  /** Tells listening workers on commit. */
  readonly notifyChannel: string | null;
  /** Nobody can have published one of them before: their ids were made just now, and none has a key. */
  readonly areNew?: boolean;
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
  ["trace_context", "text"],
] as const;

/**
 * Stores events and fans them out to the matching endpoints; an event whose key or id is known gives no row.
 *
 * Those with an ordering key take a lock of the tenant and key that ends with the transaction, and then their places:
 * so whoever commits later has a later place, and whoever sees a delivery sees all before it. They are never leased at
 * once, since only a claim knows whose turn it is.
 */
export function publishEvents(schema: string) {
  const allNew = unchecked(schema);
  const plain = unordered(schema);
  const inOrder = ordered(schema);

  return (query: SqlQuery, rows: readonly EventRow[], params: PublishEventsParams) =>
    query<PublishedRow>(params.areNew ? allNew : rows.some((row) => row.orderingKey !== null) ? inOrder : plain, [
      packColumn(rows, (row) => row.id),
      packColumn(rows, (row) => row.tenantId),
      packColumn(rows, (row) => row.type),
      packColumn(rows, (row) => row.subjectId),
      packColumn(rows, (row) => row.occurredAt),
      packColumn(rows, (row) => row.idempotencyKey),
      packColumn(rows, (row) => row.orderingKey),
      packColumn(rows, (row) => row.body),
      packColumn(rows, (row) => row.patterns),
      rows.some((row) => row.traceContext !== null) ? packColumn(rows, (row) => row.traceContext) : null,
      params.now,
      params.idPrefix,
      params.leasedUntil,
      params.notifyChannel,
    ]);
}

/** What is new needs no look at what there is, and no answer but its deliveries. */
function unchecked(schema: string): string {
  return `
    with input as (
      select * from ${unpackColumns(COLUMNS)}
    ), stored as (
      insert into "${schema}".events
        (id, tenant_id, type, subject_id, occurred_at, stored_at, body, trace_context)
      select id, tenant_id, type, subject_id, occurred_at, $11::text::timestamptz, body, trace_context
      from input
    ), ${queued(schema, "input")}, ${NOTIFIED}
    select matched.event_id, ${DELIVERY}
    from matched
    left join notified on true`;
}

function unordered(schema: string): string {
  return `
    with input as (
      select * from ${unpackColumns(COLUMNS)}
    ), ${stored(schema, "")}, ${queued(schema, "stored")}, ${PUBLISHED}`;
}

function ordered(schema: string): string {
  return `
    with input as materialized (
      select * from ${unpackColumns(COLUMNS)}
    ), keys as (
      select distinct hashtextextended('${schema} ' || tenant_id || ' ' || ordering_key, 0) as key
      from input where ordering_key is not null order by key
    ), locked as materialized (
      select pg_advisory_xact_lock(key) from keys
    ), ${stored(schema, "where (select count(*) from locked) > 0")}, matched as materialized (
      select ${newDeliveryId("$12")} as id,
        stored.id as event_id, stored.tenant_id, endpoint.id as endpoint_id, endpoint.version, endpoint.active, ${HEALTH},
        endpoint.active and $13::text is not null and ${placeKey("input", "endpoint")} is null as leased,
        ${placeKey("input", "endpoint")} as ordering_key, input.position as input_position
      ${matching(schema, "stored")}
    ), queued as (
      insert into "${schema}".queue
        (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at, ordering_key, position)
      select id, event_id, endpoint_id, tenant_id, ${STATE_AND_LEASE},
        ordering_key, case when ordering_key is not null then ${nextPlace(schema)} end
      from (select * from matched order by input_position) as matched
    ), ${PUBLISHED}`;
}

export const HEALTH = `endpoint.failures, endpoint.openings,
        greatest(endpoint.circuit_until, endpoint.held_until) as blocked_until`;

export const DELIVERY_NUMBER_DIGITS = 6;

/** The prefix with a number, of equal length, so that ids sort as they were made. */
export function newDeliveryId(prefix: string): string {
  return `${prefix}::text || (${10 ** (DELIVERY_NUMBER_DIGITS - 1)} + row_number() over ())`;
}

function stored(schema: string, where: string): string {
  return `stored as (
      insert into "${schema}".events
        (id, tenant_id, type, subject_id, occurred_at, stored_at, idempotency_key, ordering_key, body,
         trace_context)
      select id, tenant_id, type, subject_id, occurred_at, $11::text::timestamptz, idempotency_key, ordering_key, body,
        trace_context
      from input ${where} order by idempotency_key, position
      on conflict do nothing
      returning id, tenant_id
    )`;
}

/** The deliveries of events that nobody's order concerns: of all in `input`, or of those among them that were `stored`. */
function queued(schema: string, events: "input" | "stored"): string {
  return `matched as materialized (
      select ${newDeliveryId("$12")} as id,
        ${events}.id as event_id, ${events}.tenant_id, endpoint.id as endpoint_id, endpoint.version, endpoint.active, ${HEALTH},
        endpoint.active and $13::text is not null as leased
      ${matching(schema, events)}
    ), queued as (
      insert into "${schema}".queue (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, next_at)
      select id, event_id, endpoint_id, tenant_id, ${STATE_AND_LEASE}
      from matched
    )`;
}

function matching(schema: string, events: "input" | "stored"): string {
  return `from ${events === "input" ? "input" : "stored join input on input.id = stored.id"}
      join "${schema}".endpoints endpoint
        on endpoint.tenant_id = ${events}.tenant_id and endpoint.events && string_to_array(input.patterns, ' ')`;
}

const STATE_AND_LEASE = `case when active then 0 else 1 end, leased, 1,
        case when leased then $13::text else $11::text end::timestamptz`;

const DELIVERY = `matched.id as delivery_id, matched.endpoint_id, matched.version, matched.leased,
      matched.failures, matched.openings, matched.blocked_until`;

const NOTIFIED = `notified as (
      select pg_notify($14::text, $11::text) from (select 1 from matched where active limit 1) as any_active
      where $14::text is not null
    )`;

const PUBLISHED = `${NOTIFIED}
    select stored.id as event_id, ${DELIVERY}
    from stored
    left join matched on matched.event_id = stored.id
    left join notified on true`;
