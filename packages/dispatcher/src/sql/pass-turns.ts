import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import { letsPass, NOT_ITS_TURN } from "./ordering.js";

/** Where a turn is over: an attempt of the key was made. */
export interface PassedTurn {
  readonly endpointId: string;
  readonly orderingKey: string;
  /** False: the delivery is tried again, and only `skip` lets the next one pass. */
  readonly ended: boolean;
}

/**
 * Puts the next delivery of each key in line. Runs after the statement that ended the one before, so that it sees
 * whatever was put off behind that. What waits for an endpoint that is gone needs no order any more.
 */
export function passTurns(schema: string) {
  const text = `
    with passed as (
      select endpoint_id, ordering_key, bool_or(ended) as ended
      from ${unpackColumns([
        ["endpoint_id", "text"],
        ["ordering_key", "text"],
        ["ended", "boolean"],
      ])}
      group by endpoint_id, ordering_key
    ), next as (
      select waiting.id, endpoint.id is not null as is_known
      from passed
      left join "${schema}".endpoints endpoint on endpoint.id = passed.endpoint_id
      cross join lateral (
        select id from "${schema}".queue
        where endpoint_id = passed.endpoint_id and ordering_key = passed.ordering_key and next_at = ${NOT_ITS_TURN}
        order by position
        limit case when endpoint.id is null then 500 else 1 end
      ) as waiting
      where passed.ended or ${letsPass("endpoint")}
    )
    update "${schema}".queue waiting set
      next_at = $4::text::timestamptz, ordering_key = case when next.is_known then waiting.ordering_key end
    from next
    where waiting.id = next.id and waiting.next_at = ${NOT_ITS_TURN}
    returning waiting.id`;

  return (query: SqlQuery, turns: readonly PassedTurn[], now: string) =>
    query<{ readonly id: string }>(text, [
      packColumn(turns, (turn) => turn.endpointId),
      packColumn(turns, (turn) => turn.orderingKey),
      packColumn(turns, (turn) => turn.ended),
      now,
    ]);
}
