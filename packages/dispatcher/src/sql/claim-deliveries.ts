import type { SqlQuery } from "@hookline/core";

/** A delivery under a fresh lease, with what an attempt needs. */
export interface ClaimedRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly event_id: string | null;
  readonly endpoint_id: string | null;
  /** Null when the endpoint is gone. */
  readonly version: number | null;
  readonly lease_no: number;
  readonly attempt: number;
  readonly first_attempt: number;
  readonly deadline_at: Date | null;
  readonly type: string | null;
  readonly subject_id: string | null;
  readonly occurred_at: Date | null;
  readonly body: string | null;
  readonly destination: string | null;
  readonly target: string | null;
}

export interface ClaimParams {
  readonly now: string;
  readonly leasedUntil: string;
  readonly limit: number;
}

/** Everything that follows the choice of rows, which both ways of claiming share. */
export function leaseChosen(schema: string, chosen: string): string {
  return `
    with chosen as (${chosen}), leased as (
      update "${schema}".queue set
        state = 0, leased = true, lease_no = lease_no + 1, next_at = $2::text::timestamptz
      where id = any(array(select id from chosen))
      returning id, tenant_id, event_id, endpoint_id, lease_no, attempt, first_attempt, deadline_at
    )
    select leased.*, endpoint.version, event.type, event.subject_id, coalesce(event.occurred_at, message.stored_at)
      as occurred_at, coalesce(event.body, message.body) as body, message.destination, message.target
    from leased
    left join "${schema}".events event on event.id = leased.event_id
    left join "${schema}".messages message on leased.event_id is null and message.id = leased.id
    left join "${schema}".endpoints endpoint on endpoint.id = leased.endpoint_id
    order by leased.id`;
}

/** Leases what is due: overflow, retries, and what a crashed worker left. */
export function claimDeliveries(schema: string) {
  const text = leaseChosen(
    schema,
    `select id from "${schema}".queue
     where state = 0 and next_at <= $1::text::timestamptz
     order by next_at, id
     limit $3::integer
     for update skip locked`,
  );

  return (query: SqlQuery, params: ClaimParams) =>
    query<ClaimedRow>(text, [params.now, params.leasedUntil, params.limit]);
}
