import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";

/** How many tokens are wanted from one bucket. */
export interface WantedTokens {
  readonly key: string;
  readonly count: number;
  readonly perMs: number;
  readonly wanted: number;
}

export interface GrantedTokens {
  readonly key: string;
  readonly granted: number;
  /** When the bucket is full again, in milliseconds since 1970. */
  readonly full_at_ms: number;
}

const COLUMNS = [
  ["key", "text"],
  ["max_count", "integer"],
  ["per_ms", "integer"],
  ["wanted", "integer"],
] as const;

/**
 * Takes as many tokens as there are, up to those wanted, from each of several buckets; for all processes in one
 * statement. The keys differ. A limit that was changed, or a clock that went back, counts from the next one on.
 */
export function takeTokens(schema: string) {
  const now = "$5::text::double precision";
  // When the bucket is full again if nothing is taken now.
  const full = `greatest(${now}, least(bucket.full_at_ms, ${now} + excluded.per_ms))`;
  const each = "(excluded.per_ms::double precision / excluded.max_count)";
  const granted = `least(excluded.wanted, floor((${now} + excluded.per_ms - ${full}) / ${each} + 1e-6)::integer)`;
  const text = `
    insert into "${schema}".rate_limit_tokens as bucket (key, full_at_ms, max_count, per_ms, wanted, granted)
    select key, ${now} + least(wanted, max_count) * (per_ms::double precision / max_count),
      max_count, per_ms, wanted, least(wanted, max_count)
    from ${unpackColumns(COLUMNS)}
    order by key
    on conflict (key) do update set
      full_at_ms = ${full} + ${granted} * ${each},
      max_count = excluded.max_count, per_ms = excluded.per_ms, wanted = excluded.wanted, granted = ${granted}
    returning key, granted, full_at_ms`;

  return (query: SqlQuery, rows: readonly WantedTokens[], nowMs: number) =>
    query<GrantedTokens>(text, [
      packColumn(rows, (row) => row.key),
      packColumn(rows, (row) => row.count),
      packColumn(rows, (row) => row.perMs),
      packColumn(rows, (row) => row.wanted),
      String(nowMs),
    ]);
}
