import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

export interface MarkedBacklogRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string | null;
}

/** Marks endpoints whose backlog is to be told of; answers those that nobody else has marked. */
export function markBacklogs(schema: string) {
  const text = `
    with chosen as (
      select id from "${schema}".endpoints
      where id = any(string_to_array($1::text, E'\\x1e')) and backlog_level = 0
      order by id
      for no key update
    )
    update "${schema}".endpoints endpoint set backlog_level = 1 from chosen
    where endpoint.id = chosen.id
    returning endpoint.id, endpoint.tenant_id, endpoint.name`;

  return (query: SqlQuery, ids: readonly string[]) => query<MarkedBacklogRow>(text, [packColumn(ids, (id) => id)]);
}
