import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

/** One direct send, ready to be stored. */
export interface MessageRow {
  readonly id: string;
  readonly tenantId: string;
  readonly destination: string;
  /** Encrypted. */
  readonly target: string;
  readonly body: string;
  readonly idempotencyKey: string | null;
  readonly deadlineAt: string | null;
  /** Of whoever sends; see the migration. */
  readonly traceContext: string | null;
  /** Null: about nobody. */
  readonly subjectIds: readonly string[] | null;
}

export interface SendMessageParams {
  readonly now: string;
  /** When the lease runs out if it is handed over directly; null leaves it in line. */
  readonly leasedUntil: string | null;
  readonly notifyChannel: string | null;
}

/** Stores a direct send and its delivery; no row when the idempotency key is known. */
export function sendMessage(schema: string) {
  const text = `
    with stored as (
      insert into "${schema}".messages
        (id, tenant_id, destination, target, body, idempotency_key, deadline_at, stored_at, trace_context,
         subject_ids)
      values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text::timestamptz, $8::text::timestamptz,
        $11::text, string_to_array($12::text, E'\\x1e'))
      on conflict do nothing
      returning id, tenant_id, deadline_at
    ), queued as (
      insert into "${schema}".queue (id, tenant_id, state, leased, lease_no, next_at, deadline_at)
      select id, tenant_id, 0, $9::text is not null, 1, coalesce($9::text, $8::text)::timestamptz, deadline_at
      from stored
    ), notified as (
      select pg_notify($10::text, $8::text) from stored where $10::text is not null
    )
    select stored.id from stored left join notified on true`;

  return (query: SqlQuery, row: MessageRow, params: SendMessageParams) =>
    query<{ readonly id: string }>(text, [
      row.id,
      row.tenantId,
      row.destination,
      row.target,
      row.body,
      row.idempotencyKey,
      row.deadlineAt,
      params.now,
      params.leasedUntil,
      params.notifyChannel,
      row.traceContext,
      row.subjectIds === null ? null : packColumn(row.subjectIds, (id) => id),
    ]);
}
