import type { SqlQuery } from "@hookline/core";

/** Clears away what finished deliveries leave in the queue's indexes, for a database that does not do so by itself. */
export function vacuumQueue(schema: string) {
  const text = `vacuum (analyze) "${schema}".queue`;

  return (query: SqlQuery) => query(text);
}
