import type { SqlQuery } from "@hookline/core";
import { isInTurn, isRetry, letsPass, NOT_ITS_TURN } from "./ordering.js";

export interface SeenKeyRow {
  readonly endpoint_id: string;
  readonly ordering_key: string;
  /** Something waits, and nothing that it could wait for is under way. */
  readonly stuck: boolean;
}

/** Where a worker went away between the end of one delivery and the turn of the next. The last row says how far it looked. */
export function findStuckTurns(schema: string) {
  const firstKeyAfter = (endpointId: string, orderingKey: string) => `
    select endpoint_id, ordering_key from "${schema}".queue
    where ordering_key is not null and (endpoint_id, ordering_key) > (${endpointId}, ${orderingKey})
    order by endpoint_id, ordering_key limit 1`;
  const ofKey = (delivery: string) =>
    `${delivery}.endpoint_id = place.endpoint_id and ${delivery}.ordering_key = place.ordering_key`;
  const text = `
    with recursive place(endpoint_id, ordering_key, count) as (
      select first.endpoint_id, first.ordering_key, 1 from (${firstKeyAfter("$1::text", "$2::text")}) as first
      union all
      select next.endpoint_id, next.ordering_key, place.count + 1
      from place cross join lateral (${firstKeyAfter("place.endpoint_id", "place.ordering_key")}) as next
      where place.count < $4::integer
    ), seen as (
      select place.*, busy.position is null and waiting.position is not null as stuck
      from place
      left join lateral (
        select position from "${schema}".queue
        where ${ofKey("queue")} and queue.next_at = ${NOT_ITS_TURN}
        order by position limit 1
      ) as waiting on true
      left join "${schema}".endpoints endpoint on endpoint.id = place.endpoint_id
      left join lateral (
        (select position from "${schema}".queue
         where ${ofKey("queue")} and queue.next_at < ${NOT_ITS_TURN} and ${isInTurn("queue")}
         order by position limit 1)
        union all
        (select position from "${schema}".queue
         where ${ofKey("queue")} and ${isRetry("queue")}
           and (queue.next_at <= $3::text::timestamptz or (${letsPass("endpoint")}) is not true)
         order by next_at limit 1)
        limit 1
      ) as busy on true
    )
    select endpoint_id, ordering_key, stuck from seen
    where stuck or count = (select max(count) from place)
    order by endpoint_id, ordering_key`;

  return (
    query: SqlQuery,
    after: { readonly endpointId: string; readonly orderingKey: string },
    { now, limit }: { readonly now: string; readonly limit: number },
  ) => query<SeenKeyRow>(text, [after.endpointId, after.orderingKey, now, limit]);
}
