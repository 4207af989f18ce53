import type { SqlQuery } from "@hookline/core";
import type { RecordedRow } from "./record-attempts.js";

export interface PutOffRow {
  readonly deliveryId: string;
  readonly leaseNo: number;
  readonly errorCode: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly nextAt: string;
}

/** Ends a lease with an entry in the attempt log that does not count in the schedule; no row when the lease was lost. */
export function putOffDelivery(schema: string) {
  const text = `
    with put_off as (
      update "${schema}".queue set
        leased = false, attempt = attempt + 1, first_attempt = first_attempt + 1, next_at = $5::text::timestamptz
      where id = $1::text and lease_no = $2::integer and leased
      returning id, tenant_id, endpoint_id, event_id, attempt, ordering_key
    ), appended as (
      insert into "${schema}".attempts
        (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms, outcome, error_code,
         reason, next_at)
      select id, attempt, $2::integer, tenant_id, endpoint_id, event_id, $6::text::timestamptz, 0, 'retry', $3::text,
        $4::text, $5::text::timestamptz
      from put_off
    )
    select id, $2::integer as lease_no, endpoint_id, ordering_key, false as ended from put_off`;

  return (query: SqlQuery, row: PutOffRow, now: string) =>
    query<RecordedRow>(text, [row.deliveryId, row.leaseNo, row.errorCode, row.reason, row.nextAt, now]);
}
