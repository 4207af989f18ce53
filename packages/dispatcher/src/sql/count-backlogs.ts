import type { SqlQuery } from "@hookline/core";

export interface BacklogRow {
  readonly id: string;
  /** Counted no further than asked. */
  readonly waiting: number;
  /** It was told of, and has not shrunk since. */
  readonly is_told: boolean;
}

/**
 * The next endpoints by id that have anything waiting in the queue, with how much that is. Goes from one to the next in the
 * index, and counts each up to a limit, so that a long queue does not make the question slow.
 */
export function countBacklogs(schema: string) {
  const text = `
    with recursive next(id, number) as (
      (select endpoint_id, 1 from "${schema}".queue where not leased and endpoint_id > $1::text order by endpoint_id limit 1)
      union all
      select (select endpoint_id from "${schema}".queue where not leased and endpoint_id > next.id order by endpoint_id limit 1),
        number + 1
      from next where next.id is not null and number < $2::integer
    )
    select next.id, coalesce(endpoint.backlog_level > 0, false) as is_told, (
      select count(*)::integer from (
        select 1 from "${schema}".queue where not leased and endpoint_id = next.id limit $3::integer
      ) as counted
    ) as waiting
    from next left join "${schema}".endpoints endpoint on endpoint.id = next.id
    where next.id is not null
    order by next.id`;

  return (query: SqlQuery, page: { readonly after: string; readonly limit: number; readonly countTo: number }) =>
    query<BacklogRow>(text, [page.after, page.limit, page.countTo]);
}
