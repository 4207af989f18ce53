import type { SqlQuery } from "@hookline/core";
import { endpointsOutside } from "./endpoints-outside.js";

/**
 * Puts deliveries of endpoints that are gone back in line, where the next claim ends them. Looks at each endpoint that
 * something waits for, not at all that waits.
 */
export function unholdOrphans(schema: string) {
  const text = `
    with recursive ${endpointsOutside(schema)}, gone as (
      select id from endpoint
      where id is not null and not exists (select from "${schema}".endpoints known where known.id = endpoint.id)
    )
    update "${schema}".queue set state = 0, next_at = $1::text::timestamptz
    where id = any(array(
      select waiting.id from gone cross join lateral (
        select id from "${schema}".queue
        where state <> 0 and endpoint_id = gone.id
        order by id limit 1000
        for update skip locked
      ) as waiting
      limit 1000
    ))`;

  return (query: SqlQuery, now: string) => query(text, [now]);
}
