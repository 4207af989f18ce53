import type { SqlQuery } from "@hookline/core";
import { nextPlace, placeKey } from "./ordering.js";

/**
 * Puts a finished delivery back in the queue, with its whole schedule before it, or makes a waiting one due now. No
 * row when it is being attempted, or was put back by somebody else. Its place in an order is behind what waits now.
 */
export function requeueDelivery(schema: string) {
  const text = `
    with reopened as (
      update "${schema}".attempts set ending = null
      where delivery_id = $1::text and tenant_id = $2::text and ending is not null
      returning delivery_id, event_id, endpoint_id, tenant_id, attempt, lease_no
    ), queued as (
      insert into "${schema}".queue
        (id, event_id, endpoint_id, tenant_id, state, leased, lease_no, attempt, first_attempt, next_at, deadline_at,
         ordering_key, position)
      select reopened.delivery_id, reopened.event_id, reopened.endpoint_id, reopened.tenant_id, 0, false, reopened.lease_no,
        reopened.attempt, reopened.attempt, $3::text::timestamptz, message.deadline_at,
        ${placeKey("event", "endpoint")}, ${nextPlace(schema)}
      from reopened
      left join "${schema}".events event on event.id = reopened.event_id
      left join "${schema}".endpoints endpoint on endpoint.id = reopened.endpoint_id
      left join "${schema}".messages message on reopened.event_id is null and message.id = reopened.delivery_id
      returning id
    ), hurried as (
      update "${schema}".queue set state = 0, next_at = $3::text::timestamptz
      where id = $1::text and tenant_id = $2::text and not leased and state <> 1
      returning id
    )
    select id from queued union all select id from hurried`;

  return (query: SqlQuery, delivery: { readonly tenantId: string; readonly id: string }, now: string) =>
    query<{ readonly id: string }>(text, [delivery.id, delivery.tenantId, now]);
}
