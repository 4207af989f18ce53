import type { Clock, Event, EventLog, EventQuery, SqlQuery } from "@hookline/core";
import { timeOf } from "./delivery-search.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import { isoTime } from "./sql/columns.js";
import type { StoredEventRow } from "./sql/list-events.js";
import type { Statements } from "./sql/statements.js";

/** The event log, as others read it. */
export interface DispatcherEvents extends EventLog {
  /** Null when the tenant has no event of that id. */
  get(event: TenantScoped): Promise<EventDetail | null>;
  /**
   * Takes the payload out of an event, and what was answered to it out of the attempt log. Deliveries that wait end as
   * dead; one that a worker has is sent, and never again. The event stays known by its id and idempotency key. To do
   * so again once nothing is in flight also removes what those were answered.
   *
   * @throws DispatcherError `event_not_found`
   */
  expunge(event: TenantScoped): Promise<ExpungedEvent>;
}

/** An event as it is stored. */
export interface EventDetail extends Event {
  /** When its payload was taken out, so that `data` is null. */
  readonly expungedAt: Date | null;
}

export interface ExpungedEvent {
  readonly id: string;
  readonly expungedAt: Date;
  /** Deliveries that have ended for it. */
  readonly endedDeliveries: number;
  /** Deliveries that a worker has right now. */
  readonly inFlight: number;
}

export function createEventLog(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
}): DispatcherEvents {
  const { query, statements, clock } = options;
  return {
    async list(eventQuery: EventQuery) {
      const limit = pageLimit(eventQuery.limit);
      if (eventQuery.subjectIds?.length === 0) return { events: [], nextCursor: null };
      const rows = await statements.listEvents(query, {
        tenantId: eventQuery.tenantId,
        subjectIds: eventQuery.subjectIds ?? null,
        type: eventQuery.type ?? null,
        since: boundOf(eventQuery.since, "since"),
        until: boundOf(eventQuery.until, "until"),
        before: eventQuery.cursor === undefined ? null : placeOf(eventQuery.cursor),
        limit: limit + 1,
      });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.occurred_at.toISOString(), row.id]);
      return { events: page.map(toEvent), nextCursor };
    },
    async get(event) {
      const [row] = await statements.getEvent(query, event);
      return row === undefined ? null : { ...toEvent(row), expungedAt: row.expunged_at };
    },
    async expunge(event) {
      const [row] = await statements.expungeEvent(query, event, isoTime(clock.now()));
      if (row === undefined) throw new DispatcherError("event_not_found", `There is no event "${event.id}".`);
      return { id: event.id, expungedAt: row.expunged_at, endedDeliveries: row.ended, inFlight: row.in_flight };
    },
  };
}

const FIRST_MS = Date.parse("0001-01-01T00:00:00.000Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** Within the years that Postgres reads in this form. @throws DispatcherError `invalid_query` */
function boundOf(date: Date | undefined, path: string): string | null {
  return date === undefined ? null : isoTime(Math.min(Math.max(timeOf(date, path), FIRST_MS), LAST_MS));
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
