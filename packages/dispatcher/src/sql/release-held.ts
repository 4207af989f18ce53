import type { SqlQuery } from "@hookline/core";

/** Puts so many of an endpoint's deliveries that wait outside the line into it; `last` says where to go on, null when there was none. */
export function releaseHeld(schema: string) {
  const text = `
    with chosen as (
      select id from "${schema}".queue
      where endpoint_id = $1::text and state <> 0 and id > $2::text
      order by id
      limit $4::integer
      for update skip locked
    ), released as (
      update "${schema}".queue set state = 0, next_at = $3::text::timestamptz
      where id = any(array(select id from chosen))
    )
    select max(id) as last from chosen`;

  return (
    query: SqlQuery,
    from: { readonly endpointId: string; readonly after: string; readonly limit: number },
    now: string,
  ) => query<{ readonly last: string | null }>(text, [from.endpointId, from.after, now, from.limit]);
}
