import type { SqlQuery } from "@hookline/core";

/** When the next delivery is due, or the next lease runs out. */
export function nextDue(schema: string) {
  const text = `select next_at from "${schema}".queue where state = 0 order by next_at limit 1`;

  return (query: SqlQuery) => query<{ readonly next_at: Date }>(text);
}
