import type { SqlQuery } from "@hookline/core";

/** Deletes finished deliveries that were made, and ended, long ago: all their attempts. Those in the queue keep theirs. */
export function removeOldAttempts(schema: string) {
  const text = `
    with old as (
      select delivery_id from "${schema}".attempts ended
      where ended.ending is not null and ended.delivery_id > $1::text and ended.delivery_id < $2::text
        and ended.started_at < $3::text::timestamptz
      order by ended.delivery_id
      limit $4::integer
      for update skip locked
    ), removed as (
      delete from "${schema}".attempts where delivery_id = any(array(select delivery_id from old))
    )
    select count(*)::integer as count, max(delivery_id) as last from old`;

  return (
    query: SqlQuery,
    rows: { readonly after: string; readonly beforeId: string; readonly before: string; readonly limit: number },
  ) =>
    query<{ readonly count: number; readonly last: string | null }>(text, [
      rows.after,
      rows.beforeId,
      rows.before,
      rows.limit,
    ]);
}
