import type { SqlQuery } from "@hookline/core";

/**
 * Deletes so many states of endpoints that are gone: what an attempt left that was under way when its endpoint was deleted.
 * Goes from one endpoint to the next one in the index, however many states each of them has.
 */
export function removeOrphanStates(schema: string) {
  const nextAfter = (id: string) => `
    select endpoint_id from "${schema}".states where endpoint_id > ${id} order by endpoint_id limit 1`;
  const text = `
    with recursive holder(id) as (
      select first.endpoint_id from (${nextAfter("''")}) as first
      union all
      select next.endpoint_id from holder cross join lateral (${nextAfter("holder.id")}) as next
    ), gone as (
      select id from holder where not exists (select from "${schema}".endpoints known where known.id = holder.id)
    )
    delete from "${schema}".states where (endpoint_id, entity) in (
      select state.endpoint_id, state.entity from gone join "${schema}".states state on state.endpoint_id = gone.id
      limit $1::integer
    )
    returning endpoint_id`;

  return (query: SqlQuery, limit: number) => query<{ readonly endpoint_id: string }>(text, [limit]);
}
