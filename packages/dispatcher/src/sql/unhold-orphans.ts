import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

/** As many as one statement may change without anybody else waiting long for it. */
export const ORPHANS_A_STEP = 1_000;

/** Puts deliveries of endpoints that are gone back in line, where the next claim ends them. Answers what it put there. */
export function unholdOrphans(schema: string) {
  const text = `
    update "${schema}".queue set state = 0, next_at = $1::text::timestamptz
    where id = any(array(
      select waiting.id from unnest(string_to_array($2::text, E'\\x1e')) as gone(id) cross join lateral (
        select id from "${schema}".queue
        where state <> 0 and endpoint_id = gone.id
        order by id limit ${ORPHANS_A_STEP}
        for update skip locked
      ) as waiting
      limit ${ORPHANS_A_STEP}
    ))
    returning id`;

  return (query: SqlQuery, gone: readonly string[], now: string) =>
    query<{ readonly id: string }>(text, [now, packColumn(gone, (id) => id)]);
}
