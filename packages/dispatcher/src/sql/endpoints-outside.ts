/**
 * `endpoint(id)` for a `with recursive`: each endpoint that something outside the line belongs to. Goes from one to
 * the next in the index, whatever waits for it. The last id is null.
 */
export function endpointsOutside(schema: string): string {
  return `endpoint(id) as (
      (select endpoint_id from "${schema}".queue where state <> 0 and endpoint_id is not null
       order by endpoint_id limit 1)
      union all
      select (select endpoint_id from "${schema}".queue where state <> 0 and endpoint_id > endpoint.id
              order by endpoint_id limit 1)
      from endpoint where endpoint.id is not null
    )`;
}
