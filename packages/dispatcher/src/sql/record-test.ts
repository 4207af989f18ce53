import type { SqlQuery } from "@hookline/core";
import type { StoredAttemptRow } from "./list-attempts.js";
import type { EventRow } from "./publish-events.js";
import type { AttemptRow } from "./record-attempts.js";

/** Stores an event that went to one endpoint only, with the attempt that ended its delivery. */
export function recordTest(schema: string) {
  const text = `
    with stored as (
      insert into "${schema}".events (id, tenant_id, type, occurred_at, stored_at, body)
      values ($1::text, $2::text, $3::text, $4::text::timestamptz, $4::text::timestamptz, $5::text)
      returning id, tenant_id
    )
    insert into "${schema}".attempts
      (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms, outcome, ending,
       status, error_code, reason, request_headers, response_body, phases)
    select $6::text, $7::integer, $8::integer, stored.tenant_id, $9::text, stored.id, $10::text::timestamptz,
      $11::integer, $12::text, $13::text, $14::integer, $15::text, $16::text, $17::text, $18::text,
      $19::text
    from stored
    returning attempt, started_at, duration_ms, outcome, status, error_code, reason, request_headers, response_body,
      phases, next_at`;

  return (
    query: SqlQuery,
    {
      event,
      attempt,
      endpointId,
    }: { readonly event: EventRow; readonly attempt: AttemptRow; readonly endpointId: string },
  ) =>
    query<StoredAttemptRow>(text, [
      event.id,
      event.tenantId,
      event.type,
      event.occurredAt,
      event.body,
      attempt.deliveryId,
      attempt.attempt,
      attempt.leaseNo,
      endpointId,
      attempt.startedAt,
      attempt.durationMs,
      attempt.outcome,
      attempt.ending,
      attempt.status,
      attempt.errorCode,
      attempt.reason,
      attempt.requestHeaders,
      attempt.responseBody,
      attempt.phases,
    ]);
}
