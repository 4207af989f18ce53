import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";

/** How a delivery ended. */
export type Ending = "delivered" | "skipped" | "refused" | "exhausted" | "expired" | "endpoint_deleted" | "expunged";

/** One attempt and what follows from it. */
export interface AttemptRow {
  readonly deliveryId: string;
  readonly leaseNo: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outcome: "delivered" | "retry" | "dead" | "expired";
  /** Null: there is another attempt, at `nextAt`. */
  readonly ending: Ending | null;
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly reason: string | null;
  /** JSON text, redacted. */
  readonly requestHeaders: string | null;
  readonly responseBody: string | null;
  /** How long its parts took, written as text. */
  readonly phases: string | null;
  readonly nextAt: string | null;
  /** Which state is replaced; null leaves all as they are. */
  readonly entity: string | null;
  /** JSON text. */
  readonly state: string | null;
}

/** An attempt that was written: its lease still held. */
export interface RecordedRow {
  readonly id: string;
  readonly lease_no: number;
  readonly endpoint_id: string | null;
  /** Null: nothing waits for its turn behind it. */
  readonly ordering_key: string | null;
  readonly ended: boolean;
}

export interface WrittenRow extends RecordedRow {
  /** Its payload was expunged while the attempt was made; null: no. */
  readonly expunged: boolean | null;
}

const COLUMNS = [
  ["id", "text"],
  ["lease_no", "integer"],
  ["attempt", "integer"],
  ["started_at", "timestamptz"],
  ["duration_ms", "integer"],
  ["outcome", "text"],
  ["ending", "text"],
  ["status", "integer"],
  ["error_code", "text"],
  ["reason", "text"],
  ["request_headers", "text"],
  ["response_body", "text"],
  ["next_at", "timestamptz"],
  ["entity", "text"],
  ["state", "text"],
  ["phases", "text"],
] as const;

/** Its payload was expunged while the attempt was made. The row of the queue says so, since its lock was waited for. */
const IS_FORGOTTEN = "recorded.expunged and input.error_code is distinct from 'payload_expunged'";

/**
 * Ends or reschedules deliveries and appends their attempts, in one statement. Answers which leases it did so for: one
 * that was lost is not among them, and leaves no trace, also when the one that followed it is in the same batch.
 *
 * The rows of the queue are found by their ids alone, and their leases compared with a map of those in the batch. A join
 * with the batch would be planned for as many rows as the queue has at some moment, and none are a bad measure.
 */
export function recordAttempts(schema: string) {
  // Mostly one of both is empty, and then the queue is not looked at for it.
  const isLeased = (leases: "ending" | "going_on") => `
        (select ${leases} from leases) is not null
        and delivery.id = any(string_to_array($1::text, E'\\x1e')) and delivery.leased
        and delivery.lease_no = ((select ${leases} from leases) -> delivery.id -> 0)::integer`;
  const text = `
    with input as materialized (
      select * from ${unpackColumns(COLUMNS)}
    ), leases as materialized (
      select jsonb_object_agg(id, jsonb_build_array(lease_no) order by lease_no)
          filter (where ending is not null) as ending,
        jsonb_object_agg(id, jsonb_build_array(lease_no, attempt, next_at) order by lease_no)
          filter (where ending is null) as going_on
      from input
    ), ended as (
      delete from "${schema}".queue delivery
      where ${isLeased("ending")}
      returning delivery.id, delivery.lease_no, delivery.tenant_id, delivery.endpoint_id, delivery.event_id,
        delivery.ordering_key, delivery.expunged
    ), rescheduled as (
      update "${schema}".queue delivery set
        leased = false,
        attempt = ((select going_on from leases) -> delivery.id -> 1)::integer,
        next_at = ((select going_on from leases) -> delivery.id ->> 2)::timestamptz
      where ${isLeased("going_on")}
      returning delivery.id, delivery.lease_no, delivery.tenant_id, delivery.endpoint_id, delivery.event_id,
        delivery.ordering_key, delivery.expunged
    ), recorded as (
      select *, true as ended from ended union all select *, false from rescheduled
    ), appended as (
      insert into "${schema}".attempts
        (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms, outcome, ending, status,
         error_code, reason, request_headers, response_body, next_at, phases)
      select recorded.id, input.attempt, input.lease_no, recorded.tenant_id, recorded.endpoint_id, recorded.event_id,
        input.started_at, input.duration_ms, input.outcome, input.ending, input.status,
        input.error_code, case when ${IS_FORGOTTEN} then null else input.reason end, input.request_headers,
        case when ${IS_FORGOTTEN} then null else input.response_body end, input.next_at, input.phases
      from recorded join input using (id, lease_no)
      on conflict do nothing
    ), remembered as (
      insert into "${schema}".states (endpoint_id, entity, state, updated_at)
      select distinct on (recorded.endpoint_id, input.entity)
        recorded.endpoint_id, input.entity, input.state, input.started_at
      from recorded join input using (id, lease_no)
      where input.entity is not null and input.state is not null and recorded.endpoint_id is not null
      order by recorded.endpoint_id, input.entity, input.position desc
      on conflict (endpoint_id, entity) do update set state = excluded.state, updated_at = excluded.updated_at
    )
    select id, lease_no, endpoint_id, ordering_key, ended, expunged from recorded`;

  return (query: SqlQuery, rows: readonly AttemptRow[]) =>
    query<WrittenRow>(text, [
      packColumn(rows, (row) => row.deliveryId),
      packColumn(rows, (row) => row.leaseNo),
      packColumn(rows, (row) => row.attempt),
      packColumn(rows, (row) => row.startedAt),
      packColumn(rows, (row) => row.durationMs),
      packColumn(rows, (row) => row.outcome),
      packColumn(rows, (row) => row.ending),
      packColumn(rows, (row) => row.status),
      packColumn(rows, (row) => row.errorCode),
      packColumn(rows, (row) => row.reason),
      packColumn(rows, (row) => row.requestHeaders),
      packColumn(rows, (row) => row.responseBody),
      packColumn(rows, (row) => row.nextAt),
      packColumn(rows, (row) => row.entity),
      packColumn(rows, (row) => row.state),
      packColumn(rows, (row) => row.phases),
    ]);
}
