import type { SqlQuery } from "@hookline/core";

/** One row where the tables are, none before the first migration; with how far statements are kept apart by default. */
export function findQueue(schema: string) {
  const text = `
    select current_setting('transaction_isolation') as isolation where to_regclass('"${schema}".queue') is not null`;

  return (query: SqlQuery) => query<{ readonly isolation: string }>(text);
}
