import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import type { EventRow } from "./publish-events.js";

export interface KnownEventRow {
  /** The index of the event that was asked for. */
  readonly position: number;
  readonly id: string;
  readonly tenant_id: string;
  readonly type: string;
  readonly body: string;
  /** Milliseconds since 1970: drivers of callers read a time each in their own way. */
  readonly stored_at_ms: number;
  /** Its body is gone, and with it what a second event could be compared with. */
  readonly expunged: boolean;
  /** Whether it is the key that is known, or the id. */
  readonly by_key: boolean;
}

/** The events that hold the ids or idempotency keys of events that were not stored; those of a key come first. */
export function findPublishedEvents(schema: string) {
  const text = `
    with input as (
      select * from ${unpackColumns([
        ["id", "text"],
        ["tenant_id", "text"],
        ["idempotency_key", "text"],
      ])}
    ), known as (
      select 1 as rank, input.position, event.*
      from input join "${schema}".events event
        on event.tenant_id = input.tenant_id and event.idempotency_key = input.idempotency_key
      union all
      select 2 as rank, input.position, event.*
      from input join "${schema}".events event on event.id = input.id
    )
    select (position - 1)::integer as position, id, tenant_id, type, body,
      (extract(epoch from stored_at) * 1000)::float8 as stored_at_ms,
      expunged_at is not null as expunged, rank = 1 as by_key
    from known order by known.position, rank`;

  return (query: SqlQuery, rows: readonly EventRow[]) =>
    query<KnownEventRow>(text, [
      packColumn(rows, (row) => row.id),
      packColumn(rows, (row) => row.tenantId),
      packColumn(rows, (row) => row.idempotencyKey),
    ]);
}
