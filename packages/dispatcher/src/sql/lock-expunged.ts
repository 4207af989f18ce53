import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";
import { unfinishedOfEvents } from "./unfinished-of-events.js";

/**
 * Locks an event and then its deliveries, for the transaction in which it is expunged: nobody puts another one in the
 * queue, and nobody leases, ends or reschedules one. Answers whether there is such an event.
 */
export function lockEvent(schema: string) {
  const text = `select id from "${schema}".events where id = $1::text and tenant_id = $2::text for update`;
  const ofDeliveries = `
    select id from "${schema}".queue
    where id = any(array(${unfinishedOfEvents(schema, "event_id = $1::text")}))
    order by id
    for update`;

  return async (query: SqlQuery, event: { readonly tenantId: string; readonly id: string }): Promise<boolean> => {
    const found = await query(text, [event.id, event.tenantId]);
    // By a statement of its own: it sees what was put in the queue while the first one waited for its lock.
    if (found.length > 0) await query(ofDeliveries, [event.id]);
    return found.length > 0;
  };
}

/** {@link lockEvent} for the direct sends about some subjects. */
export function lockSends(schema: string) {
  const text = `
    select id from "${schema}".messages
    where subject_ids && string_to_array($2::text, E'\\x1e') and tenant_id = $1::text and subject_ids is not null
    order by id
    for update`;
  const ofDeliveries = `
    select id from "${schema}".queue where id = any(string_to_array($1::text, E'\\x1e')) order by id for update`;

  return async (
    query: SqlQuery,
    about: { readonly tenantId: string; readonly subjectIds: readonly string[] },
  ): Promise<void> => {
    const found = await query<{ readonly id: string }>(text, [
      about.tenantId,
      packColumn(about.subjectIds, (id) => id),
    ]);
    if (found.length > 0) await query(ofDeliveries, [packColumn(found, ({ id }) => id)]);
  };
}
