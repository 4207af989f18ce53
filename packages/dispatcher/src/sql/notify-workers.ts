import type { SqlQuery } from "@hookline/core";

/** Tells listening workers since when there may be something due that they have not seen. */
export function notifyWorkers(query: SqlQuery, channel: string, since: string) {
  return query("select pg_notify($1, $2)", [channel, since]);
}
