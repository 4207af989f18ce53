import type { SqlQuery } from "@hookline/core";

export interface OutsideRow {
  readonly id: string;
  /** Nothing keeps its deliveries outside the line: those of a busy worker that is gone, say. */
  readonly due: boolean;
  /** There is no such endpoint any more. */
  readonly gone: boolean;
}

/** The next endpoints with deliveries outside the line, by their ids from `after` on, and what is to be done about them. */
export function findSetAside(schema: string) {
  const nextAfter = (id: string) => `
    select endpoint_id from "${schema}".queue where state <> 0 and endpoint_id > ${id} order by endpoint_id limit 1`;
  const text = `
    with recursive outside(id, count) as (
      select first.endpoint_id, 1 from (${nextAfter("$2::text")}) as first
      union all
      select next.endpoint_id, outside.count + 1
      from outside cross join lateral (${nextAfter("outside.id")}) as next
      where outside.count < $3::integer
    )
    select outside.id, coalesce(known.active and coalesce(
      greatest(known.circuit_until, known.held_until) <= $1::text::timestamptz, true), false) as due,
      known.id is null as gone
    from outside left join "${schema}".endpoints known on known.id = outside.id
    order by outside.id`;

  return (query: SqlQuery, from: { readonly now: string; readonly after: string; readonly limit: number }) =>
    query<OutsideRow>(text, [from.now, from.after, from.limit]);
}
