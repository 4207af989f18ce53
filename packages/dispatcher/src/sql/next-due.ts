import type { SqlQuery } from "@hookline/core";

/** When the next delivery between two times is due, or the next lease runs out. */
export function nextDue(schema: string) {
  const text = `select next_at from "${schema}".queue 
    where state = 0 and next_at >= $1::text::timestamptz and next_at <= $2::text::timestamptz
    order by next_at limit 1`;

  return (query: SqlQuery, from: string, to: string) => query<{ readonly next_at: Date }>(text, [from, to]);
}
