import type { Migration } from "@hookline/postgres";

/**
 * `rate_limit_tokens` holds one row for each endpoint or tenant with a rate limit, once it was used; the trace context of
 * whoever published is kept beside what was published, as its `traceparent` and, after a space, its `tracestate`.
 */
export const limitsAndTraces: Migration = {
  id: "0006_limits_and_traces",
  async up(tx, schema) {
    for (const statement of statements(schema)) await tx.query(statement);
  },
};

const statements = (schema: string): readonly string[] => [
  // full_at_ms: when the bucket is full again, in milliseconds since 1970. One number tells how full it is now.
  // The other columns are what the last request asked for, and what it was granted.
  `create table "${schema}".rate_limit_tokens (
    key text primary key,
    full_at_ms double precision not null,
    max_count integer not null,
    per_ms integer not null,
    wanted integer not null,
    granted integer not null
  ) with (fillfactor = 50)`,
  `alter table "${schema}".events add column trace_context text`,
  `alter table "${schema}".messages add column trace_context text`,
];
