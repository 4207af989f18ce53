import type { SqlQuery } from "@hookline/core";
import { nextPlace, placeKey } from "./ordering.js";

/**
 * The parts of a statement that put finished deliveries back in the queue, with their whole schedule before them: those
 * whose ids the part `chosen` names, of the tenant `$1`, due at `$2`. Those of a disabled endpoint are held. `queued`
 * answers the ids; a delivery that somebody else has put back meanwhile is not among them, nor one whose event or direct
 * send is gone. These are locked first, so that nobody removes them as old ones for which nothing waits. Their places in
 * an order are behind what waits now.
 */
export function requeueChosen(schema: string): string {
  return `
    kept_events as materialized (
      select event.id, event.ordering_key from "${schema}".events event
      where event.id = any(array(
        select ended.event_id from "${schema}".attempts ended
        where ended.delivery_id = any(array(select id from chosen)) and ended.tenant_id = $1::text
          and ended.ending is not null
      ))
      order by event.id
      for key share
    ), kept_messages as materialized (
      select message.id, message.deadline_at from "${schema}".messages message
      where message.id = any(array(select id from chosen))
      order by message.id
      for key share
    ), reopened as (
      update "${schema}".attempts set ending = null
      where delivery_id = any(array(select id from chosen)) and tenant_id = $1::text and ending is not null
        and case when event_id is null then delivery_id in (select id from kept_messages)
          else event_id in (select id from kept_events) end
      returning delivery_id, event_id, endpoint_id, tenant_id, attempt, lease_no
    ), queued as (
      insert into "${schema}".queue
        (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, attempt, first_attempt, next_at, deadline_at,
         ordering_key, position)
      select reopened.delivery_id, reopened.event_id, reopened.endpoint_id, reopened.tenant_id,
        case when endpoint.active = false then 1 else 0 end, false, reopened.lease_no,
        reopened.attempt, reopened.attempt, $2::text::timestamptz, message.deadline_at,
        ${placeKey("event", "endpoint")}, ${nextPlace(schema)}
      from (select * from reopened order by delivery_id) as reopened
      left join kept_events event on event.id = reopened.event_id
      left join "${schema}".endpoints endpoint on endpoint.id = reopened.endpoint_id
      left join kept_messages message on reopened.event_id is null and message.id = reopened.delivery_id
      returning id
    )`;
}

/** Puts finished deliveries back, and makes waiting ones due now. No row for one that is held or being attempted. */
export function requeueDeliveries(schema: string) {
  const text = `
    with chosen as (
      select unnest(string_to_array($3::text, E'\\x1e')) as id
    ), ${requeueChosen(schema)}, hurried as (
      update "${schema}".queue set state = 0, next_at = $2::text::timestamptz
      where id = any(array(select id from chosen)) and tenant_id = $1::text and not leased
        and (state = 0 or not exists (
          select from "${schema}".endpoints endpoint where endpoint.id = queue.endpoint_id and not endpoint.active
        ))
      returning id
    )
    select id from queued union all select id from hurried`;

  return (query: SqlQuery, deliveries: { readonly tenantId: string; readonly ids: readonly string[] }, now: string) =>
    query<{ readonly id: string }>(text, [deliveries.tenantId, now, deliveries.ids.join("\u001e")]);
}
