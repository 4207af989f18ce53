import type { SqlQuery } from "@hookline/core";
import { NOT_ITS_TURN } from "./ordering.js";
import type { Ending } from "./record-attempts.js";

/** A delivery, finished or not. */
export interface DeliveryRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly endpoint_id: string | null;
  readonly event_id: string | null;
  readonly attempts: number;
  /** Null while it is in the queue. */
  readonly ending: Ending | null;
  readonly ended_at: Date | null;
  readonly reason: string | null;
  readonly state: number | null;
  readonly leased: boolean | null;
  readonly next_at: Date | null;
  readonly event_type: string | null;
  readonly destination: string | null;
  readonly deadline_at: Date | null;
  readonly created_at: Date;
}

export interface ListDeliveriesParams {
  readonly tenantId: string;
  readonly id: string | null;
  readonly endpointId: string | null;
  readonly eventId: string | null;
  readonly status: string | null;
  /** Only ids before this one. */
  readonly before: string | null;
  readonly limit: number;
}

/** A tenant's deliveries, newest first: those in the queue, and those whose last attempt says how they ended. */
export function listDeliveries(schema: string) {
  const matching = (table: string, id: string) => `
    ${table}.tenant_id = $1::text
    and ($2::text is null or ${table}.${id} = $2::text)
    and ($3::text is null or ${table}.endpoint_id = $3::text)
    and ($4::text is null or ${table}.event_id = $4::text)
    and ($6::text is null or ${table}.${id} < $6::text)`;
  const text = `
    with page as (
      (select waiting.id, waiting.tenant_id, waiting.endpoint_id, waiting.event_id, waiting.attempt as attempts,
        null::text as ending, null::timestamptz as ended_at, null::text as reason,
        waiting.state::integer as state, waiting.leased, nullif(waiting.next_at, ${NOT_ITS_TURN}) as next_at
      from "${schema}".queue waiting
      where ${matching("waiting", "id")}
        and ($5::text is null or $5::text = case when waiting.state = 1 then 'held' else 'pending' end)
      order by waiting.id desc limit $7::integer)
      union all
      (select ended.delivery_id, ended.tenant_id, ended.endpoint_id, ended.event_id, ended.attempt,
        ended.ending, ended.started_at, ended.reason, null::integer, null::boolean, null::timestamptz
      from "${schema}".attempts ended
      where ended.ending is not null and ${matching("ended", "delivery_id")}
        and ($5::text is null or $5::text = case
          when ended.ending in ('delivered', 'skipped') then 'delivered'
          when ended.ending = 'expired' then 'expired'
          else 'dead' end)
      order by ended.delivery_id desc limit $7::integer)
    )
    select page.*, event.type as event_type, coalesce(endpoint.destination, message.destination) as destination,
      message.deadline_at, coalesce(event.stored_at, message.stored_at) as created_at
    from page
    left join "${schema}".events event on event.id = page.event_id
    left join "${schema}".messages message on page.event_id is null and message.id = page.id
    left join "${schema}".endpoints endpoint on endpoint.id = page.endpoint_id
    order by page.id desc
    limit $7::integer`;

  return (query: SqlQuery, params: ListDeliveriesParams) =>
    query<DeliveryRow>(text, [
      params.tenantId,
      params.id,
      params.endpointId,
      params.eventId,
      params.status,
      params.before,
      params.limit,
    ]);
}
