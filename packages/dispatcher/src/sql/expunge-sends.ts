import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";
import { ENDED_AND_IN_FLIGHT, expungeDeliveries } from "./expunge-deliveries.js";

/**
 * Takes data and targets out of direct sends about some subjects, and what was answered to them out of the attempts. One
 * that a worker has keeps its subjects, so that it is looked at again.
 */
export function expungeSends(schema: string) {
  const text = `
    with about as (
      select id from "${schema}".messages
      where subject_ids && string_to_array($2::text, E'\\x1e') and tenant_id = $1::text and subject_ids is not null
    ), waiting as (
      select id from "${schema}".queue where id = any(array(select id from about))
    ), known as (
      select id from about
    ), ${expungeDeliveries(schema)}, emptied as (
      update "${schema}".messages message
      set body = 'null', target = '', expunged_at = coalesce(expunged_at, $3::text::timestamptz),
        subject_ids = case
          when exists (select from waiting where waiting.id = message.id)
            and not exists (select from ended where ended.id = message.id)
          then subject_ids end
      where id = any(array(select id from about))
    )
    select ${ENDED_AND_IN_FLIGHT}`;

  return (query: SqlQuery, about: { readonly tenantId: string; readonly subjectIds: readonly string[] }, now: string) =>
    query<{ readonly ended: number; readonly in_flight: number }>(text, [
      about.tenantId,
      packColumn(about.subjectIds, (id) => id),
      now,
    ]);
}
