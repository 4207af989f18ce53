import type { SqlQuery } from "@hookline/core";

export interface ExpungedRow {
  readonly expunged_at: Date;
  /** Deliveries that ended as dead for it. */
  readonly ended: number;
  /** Deliveries that a worker has right now. */
  readonly in_flight: number;
}

/**
 * Takes the payload out of an event, and what was answered to it out of the attempts; ends what waits. What a worker has
 * is left to it: the attempt is written down, and another one finds no payload. No row when there is no such event.
 */
export function expungeEvent(schema: string) {
  const text = `
    with emptied as (
      update "${schema}".events set body = 'null', expunged_at = coalesce(expunged_at, $3::text::timestamptz)
      where id = $1::text and tenant_id = $2::text
      returning id, expunged_at
    ), known as (
      select delivery_id from "${schema}".attempts
      where event_id = (select id from emptied) and ending is not null and event_id is not null
      union
      select id from "${schema}".queue where event_id = (select id from emptied)
    ), forgotten as (
      update "${schema}".attempts set response_body = null, reason = null
      where delivery_id = any(array(select delivery_id from known)) and error_code is distinct from 'payload_expunged'
        and (response_body is not null or reason is not null)
    ), ended as (
      delete from "${schema}".queue where event_id = (select id from emptied) and not leased
      returning id, tenant_id, endpoint_id, event_id, attempt, lease_no
    ), appended as (
      insert into "${schema}".attempts
        (delivery_id, attempt, lease_no, tenant_id, endpoint_id, event_id, started_at, duration_ms, outcome, ending,
         error_code, reason)
      select id, attempt + 1, lease_no, tenant_id, endpoint_id, event_id, $3::text::timestamptz, 0, 'dead', 'expunged',
        'payload_expunged', 'The payload was expunged.'
      from ended
    )
    select expunged_at, (select count(*) from ended)::integer as ended,
      (select count(*) from "${schema}".queue where event_id = (select id from emptied) and leased)::integer as in_flight
    from emptied`;

  return (query: SqlQuery, event: { readonly tenantId: string; readonly id: string }, now: string) =>
    query<ExpungedRow>(text, [event.id, event.tenantId, now]);
}
