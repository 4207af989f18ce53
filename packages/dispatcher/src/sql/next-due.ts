import type { SqlQuery } from "@hookline/core";

/** When the next delivery between two times is due, or the next lease runs out. */
export function nextDue(schema: string) {
  const firstOf = (condition: string) => `
    (select next_at from "${schema}".queue
     where ${condition} and next_at >= $1::text::timestamptz and next_at <= $2::text::timestamptz
     order by next_at limit 1)`;
  const text = `
    select next_at from (${firstOf("state = 0 and not leased")} union all ${firstOf("state = 0 and leased")}) as first
    order by next_at limit 1`;

  return (query: SqlQuery, from: string, to: string) => query<{ readonly next_at: Date }>(text, [from, to]);
}
