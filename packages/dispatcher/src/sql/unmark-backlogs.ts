import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

/** Takes the mark from these endpoints, and from every one for which nothing waits any more. */
export function unmarkBacklogs(schema: string) {
  const text = `
    with chosen as (
      select id from "${schema}".endpoints
      where backlog_level > 0 and (
        id = any(string_to_array($1::text, E'\\x1e'))
        or not exists (select from "${schema}".queue where not queue.leased and queue.endpoint_id = endpoints.id)
      )
      order by id
      for no key update
    )
    update "${schema}".endpoints endpoint set backlog_level = 0 from chosen where endpoint.id = chosen.id`;

  return (query: SqlQuery, ids: readonly string[]) => query(text, [packColumn(ids, (id) => id)]);
}
