import type { Event, EventLog, EventQuery, SqlQuery } from "@hookline/core";
import type { TenantScoped } from "./endpoint.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import type { StoredEventRow } from "./sql/list-events.js";
import type { Statements } from "./sql/statements.js";

/** The event log, as others read it. */
export interface DispatcherEvents extends EventLog {
  /** Null when the tenant has no event of that id. */
  get(event: TenantScoped): Promise<Event | null>;
}

export function createEventLog(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
}): DispatcherEvents {
  const { query, statements } = options;
  return {
    async list(eventQuery: EventQuery) {
      const limit = pageLimit(eventQuery.limit);
      if (eventQuery.subjectIds?.length === 0) return { events: [], nextCursor: null };
      const rows = await statements.listEvents(query, {
        tenantId: eventQuery.tenantId,
        subjectIds: eventQuery.subjectIds ?? null,
        type: eventQuery.type ?? null,
        before: eventQuery.cursor === undefined ? null : placeOf(eventQuery.cursor),
        limit: limit + 1,
      });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.occurred_at.toISOString(), row.id]);
      return { events: page.map(toEvent), nextCursor };
    },
    async get(event) {
      const [row] = await statements.getEvent(query, event);
      return row === undefined ? null : toEvent(row);
    },
  };
}

function placeOf(cursor: string): { readonly occurredAt: string; readonly id: string } {
  const [occurredAt = "", id = ""] = readCursor(cursor, ["time", "id"]);
  return { occurredAt, id };
}

function toEvent(row: StoredEventRow): Event {
  return {
    id: row.id,
    type: row.type,
    timestamp: row.occurred_at.toISOString(),
    tenantId: row.tenant_id,
    data: JSON.parse(row.body),
    ...(row.subject_id === null ? {} : { subjectId: row.subject_id }),
  };
}
