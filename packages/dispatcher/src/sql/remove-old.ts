import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";
import { type BodyTable, deliveriesOfOld, stillOld } from "./old-rows.js";

/** Deletes old events or direct sends that are locked, and all that is known of their deliveries. */
export function removeOld(schema: string) {
  const textOf = (table: BodyTable) => `
    with ${stillOld(schema, table)}, forgotten as (
      delete from "${schema}".attempts where delivery_id = any(array(${deliveriesOfOld(schema, table)}))
    )
    delete from "${schema}".${table} where id = any(array(select id from old)) returning id`;

  return (query: SqlQuery, table: BodyTable, ids: readonly string[]) =>
    query<{ readonly id: string }>(textOf(table), [packColumn(ids, (id) => id)]);
}
