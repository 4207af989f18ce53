import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";
import { type BodyTable, deliveriesOfOld, stillOld } from "./old-rows.js";

/** Takes the payloads out of old events or direct sends that are locked, and what was answered out of their attempts. */
export function emptyOld(schema: string) {
  const textOf = (table: BodyTable) => `
    with ${stillOld(schema, table)}, forgotten as (
      update "${schema}".attempts set response_body = null, reason = null
      where delivery_id = any(array(${deliveriesOfOld(schema, table)}))
        and (response_body is not null or reason is not null)
    )
    update "${schema}".${table} set body = 'null',${table === "messages" ? " target = ''," : ""} expunged_at = $2::text::timestamptz
    where id = any(array(select id from old))
    returning id`;

  return (query: SqlQuery, table: BodyTable, old: { readonly ids: readonly string[]; readonly now: string }) =>
    query<{ readonly id: string }>(textOf(table), [packColumn(old.ids, (id) => id), old.now]);
}
