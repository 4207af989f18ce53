import type { SqlQuery } from "@hookline/core";

/** One row where the tables are, none before the first migration. */
export function findQueue(schema: string) {
  const text = `select 1 as found where to_regclass('"${schema}".queue') is not null`;

  return (query: SqlQuery) => query<{ readonly found: number }>(text);
}
