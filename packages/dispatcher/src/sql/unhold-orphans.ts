import type { SqlQuery } from "@hookline/core";

/** Puts deliveries of endpoints that are gone back in line, where the next claim ends them. */
export function unholdOrphans(schema: string) {
  const text = `
    update "${schema}".queue set state = 0, next_at = $1::text::timestamptz
    where id = any(array(
      select waiting.id from "${schema}".queue waiting
      where waiting.state <> 0
        and not exists (select from "${schema}".endpoints endpoint where endpoint.id = waiting.endpoint_id)
      limit 1000
      for update skip locked
    ))`;

  return (query: SqlQuery, now: string) => query(text, [now]);
}
