import type { SqlQuery } from "@hookline/core";

/** Removes buckets that have been full for long: they are made anew when they are used. */
export function forgetTokens(schema: string) {
  const text = `delete from "${schema}".rate_limit_tokens where full_at_ms < $1::text::double precision`;

  return (query: SqlQuery, fullSinceMs: number) => query(text, [String(fullSinceMs)]);
}
