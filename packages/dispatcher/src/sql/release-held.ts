import type { SqlQuery } from "@hookline/core";

/** Puts the first so many of an endpoint's deliveries that wait outside the line into it. */
export function releaseHeld(schema: string) {
  const text = `
    update "${schema}".queue set state = 0, next_at = $2::text::timestamptz
    where id = any(array(
      select id from "${schema}".queue
      where endpoint_id = $1::text and state <> 0
      order by id
      limit $3::integer
      for update skip locked
    ))`;

  return (query: SqlQuery, from: { readonly endpointId: string; readonly limit: number }, now: string) =>
    query(text, [from.endpointId, now, from.limit]);
}
