import type { SqlQuery } from "@hookline/core";
import { ENDED_AND_IN_FLIGHT, expungeDeliveries } from "./expunge-deliveries.js";
import { unfinishedOfEvents } from "./unfinished-of-events.js";

export interface ExpungedRow {
  readonly expunged_at: Date;
  /** Deliveries that ended as dead for it. */
  readonly ended: number;
  /** Deliveries that a worker has right now. */
  readonly in_flight: number;
  /** Of one that ended and had a place in an order; nulls when none did. */
  readonly endpoint_id: string | null;
  readonly ordering_key: string | null;
}

/**
 * Takes the payload out of an event that is locked, and what was answered to it out of the attempts. A row for each
 * delivery that ended and had a place in an order, one at least; none when there is no such event.
 */
export function expungeEvent(schema: string) {
  const text = `
    with emptied as (
      update "${schema}".events set body = 'null', expunged_at = coalesce(expunged_at, $3::text::timestamptz)
      where id = $1::text and tenant_id = $2::text
      returning id, expunged_at
    ), waiting as (
      ${unfinishedOfEvents(schema, "event_id = (select id from emptied)")}
    ), known as (
      select delivery_id as id from "${schema}".attempts
      where event_id = (select id from emptied) and ending is not null and event_id is not null
      union
      select id from waiting
    ), ${expungeDeliveries(schema)}
    select emptied.expunged_at, ${ENDED_AND_IN_FLIGHT}, placed.endpoint_id, placed.ordering_key
    from emptied left join ended placed on placed.ordering_key is not null`;

  return (query: SqlQuery, event: { readonly tenantId: string; readonly id: string }, now: string) =>
    query<ExpungedRow>(text, [event.id, event.tenantId, now]);
}
