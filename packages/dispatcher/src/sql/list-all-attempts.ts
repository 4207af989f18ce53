import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";
import { unfinishedOfEvents } from "./unfinished-of-events.js";

/** An attempt of one of several deliveries. */
export interface AttemptOfManyRow {
  readonly delivery_id: string;
  readonly event_id: string | null;
  readonly endpoint_id: string | null;
  readonly attempt: number;
  readonly started_at: Date;
  readonly outcome: string;
  readonly status: number | null;
  readonly response_body: string | null;
}

const COLUMNS = "delivery_id, event_id, endpoint_id, attempt, started_at, outcome, status, response_body";

/** The attempts of several deliveries, finished or not, oldest first. `events`: those of all deliveries of some events. */
export function listAllAttempts(schema: string) {
  const textOf = (deliveries: string) => `
    select ${COLUMNS} from "${schema}".attempts
    where tenant_id = $1::text and delivery_id = any(array(${deliveries}))
    order by started_at, delivery_id, attempt`;
  const given = "select unnest(string_to_array($2::text, E'\\x1e'))";
  const texts = {
    deliveries: textOf(given),
    events: textOf(`
      select delivery_id from "${schema}".attempts
      where event_id = any(array(${given})) and ending is not null and event_id is not null
      union
      (${unfinishedOfEvents(schema, `event_id = any(array(${given}))`)})`),
  } as const;

  return (
    query: SqlQuery,
    of: keyof typeof texts,
    asked: { readonly tenantId: string; readonly ids: readonly string[] },
  ) => query<AttemptOfManyRow>(texts[of], [asked.tenantId, packColumn(asked.ids, (id) => id)]);
}
