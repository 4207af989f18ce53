import type { SqlQuery } from "@hookline/core";

/** Deletes so many recoveries that ended before a time. */
export function removeOldRecoveries(schema: string) {
  const text = `
    delete from "${schema}".recoveries where id = any(array(
      select id from "${schema}".recoveries
      where status <> 'running' and ended_at < $1::text::timestamptz
      limit $2::integer
    ))
    returning id`;

  return (query: SqlQuery, before: string, limit: number) => query<{ readonly id: string }>(text, [before, limit]);
}
