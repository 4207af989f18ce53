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

/** Takes the payloads out of old events or direct sends, and what was answered to them out of their attempts. */
export function emptyOld(schema: string) {
  const textOf = (table: BodyTable) => `
    with ${chooseOld(schema, table, "is null")}, emptied as (
      update "${schema}".${table} set body = 'null', expunged_at = $5::text::timestamptz
      where id = any(array(select id from old))
    ), forgotten as (
      update "${schema}".attempts set response_body = null, reason = null
      where delivery_id = any(array(${deliveriesOfOld(schema, table)}))
        and (response_body is not null or reason is not null)
    )
    ${BATCH_OF_OLD}`;

  return (query: SqlQuery, table: BodyTable, rows: OldRows & { readonly now: string }) =>
    query<OldBatch>(textOf(table), [...parametersOf(rows), rows.now]);
}
