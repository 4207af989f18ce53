import type { SqlQuery } from "@hookline/core";

/** Active endpoints with deliveries outside the line: of a busy worker that is gone, or held while it was disabled. */
export function findSetAside(schema: string) {
  const text = `
    with recursive endpoint(id) as (
      (select endpoint_id from "${schema}".queue where state <> 0 and endpoint_id is not null
       order by endpoint_id limit 1)
      union all
      select (select endpoint_id from "${schema}".queue where state <> 0 and endpoint_id > endpoint.id
              order by endpoint_id limit 1)
      from endpoint where endpoint.id is not null
    )
    select endpoint.id from endpoint join "${schema}".endpoints known on known.id = endpoint.id and known.active
    limit 1000`;

  return (query: SqlQuery) => query<{ readonly id: string }>(text);
}
