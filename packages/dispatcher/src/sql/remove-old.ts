import type { SqlQuery } from "@hookline/core";
import {
  BATCH_OF_OLD,
  type BodyTable,
  chooseOld,
  deliveriesOfOld,
  type OldBatch,
  type OldRows,
  parametersOf,
} from "./old-rows.js";

/** Deletes old events or direct sends, with payload or without, and all that is known of their deliveries. */
export function removeOld(schema: string) {
  const textOf = (table: BodyTable, isExpunged: boolean) => `
    with ${chooseOld(schema, table, isExpunged ? "is not null" : "is null")}, forgotten as (
      delete from "${schema}".attempts where delivery_id = any(array(${deliveriesOfOld(schema, table)}))
    ), removed as (
      delete from "${schema}".${table} where id = any(array(select id from old))
    )
    ${BATCH_OF_OLD}`;

  return (query: SqlQuery, table: BodyTable, rows: OldRows & { readonly isExpunged: boolean }) =>
    query<OldBatch>(textOf(table, rows.isExpunged), parametersOf(rows));
}
