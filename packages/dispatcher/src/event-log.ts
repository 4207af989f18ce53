import type { Clock, DeliveryAttempt, Event, EventAttempt, EventLog, EventQuery, SendQuery } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { timeOf } from "./delivery-search.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import { checkQuery, checkScoped, invalidQuery } from "./query-input.js";
import { retryDeadlocks } from "./retry-deadlocks.js";
import { FIRST_STORED_MS, isoTime, LAST_STORED_MS } from "./sql/columns.js";
import type { AttemptOfManyRow } from "./sql/list-all-attempts.js";
import type { StoredEventRow } from "./sql/list-events.js";
import type { Statements } from "./sql/statements.js";
import type { FieldsOf } from "./unknown-fields.js";

const QUERY_FIELDS: FieldsOf<EventQuery> = {
  tenantId: true,
  subjectIds: true,
  type: true,
  since: true,
  until: true,
  limit: true,
  cursor: true,
};

const SEND_QUERY_FIELDS: FieldsOf<SendQuery> = { tenantId: true, subjectIds: true, limit: true, cursor: true };

/** The event log, as others read it. */
export interface DispatcherEvents extends Required<EventLog> {
  /** Null when the tenant has no event of that id. */
  get(event: TenantScoped): Promise<EventDetail | null>;
  /**
   * Takes the payload out of an event, and what was answered to it out of the attempt log. Deliveries that wait end as
   * dead; one that a worker has is sent, and never again, and what it is answered is not kept. The event stays known by
   * its id and idempotency key.
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
  readonly database: Database;
  readonly statements: Statements;
  readonly clock: Clock;
  /** Workers listen to it. */
  readonly channel: string;
}): DispatcherEvents {
  const { database, statements, clock, channel } = options;
  const { query } = database;
  // Workers write what many attempts came to in one statement, which locks their deliveries in an order of its own.
  const transaction: Database["transaction"] = (fn) => retryDeadlocks(() => database.transaction(fn));
  return {
    async list(eventQuery: EventQuery) {
      checkQuery(eventQuery, QUERY_FIELDS);
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
      checkScoped(event);
      const [row] = await statements.getEvent(query, event);
      return row === undefined ? null : { ...toEvent(row), expungedAt: row.expunged_at };
    },
    async expunge(event) {
      checkScoped(event);
      const now = isoTime(clock.now());
      const rows = await transaction(async ({ query }) => {
        if (!(await statements.lockEvent(query, event))) return [];
        const expunged = await statements.expungeEvent(query, event, now);
        const turns = expunged.flatMap(({ endpoint_id: endpointId, ordering_key: orderingKey }) =>
          endpointId === null || orderingKey === null ? [] : [{ endpointId, orderingKey, ended: true }],
        );
        const next = turns.length === 0 ? [] : await statements.passTurns(query, turns, now);
        if (next.length > 0) await statements.notifyWorkers(query, channel, now);
        return expunged;
      });
      const [first] = rows;
      if (first === undefined) throw new DispatcherError("event_not_found", `There is no event "${event.id}".`);
      return { id: event.id, expungedAt: first.expunged_at, endedDeliveries: first.ended, inFlight: first.in_flight };
    },
    async listAttempts(asked) {
      checkQuery(asked, { tenantId: true, eventIds: true });
      const { tenantId, eventIds } = asked;
      if (!Array.isArray(eventIds) || eventIds.length > MAX_EVENTS) {
        throw invalidQuery("eventIds", `is a list of ${MAX_EVENTS} ids at most`);
      }
      if (eventIds.length === 0) return [];
      const rows = await statements.listAllAttempts(query, "events", { tenantId, ids: eventIds });
      return rows.map(toEventAttempt);
    },
    async listSends(asked) {
      checkQuery(asked, SEND_QUERY_FIELDS);
      const { tenantId, subjectIds, cursor } = asked;
      checkSubjects(subjectIds);
      const limit = pageLimit(asked.limit);
      if (subjectIds.length === 0) return { sends: [], nextCursor: null };
      const rows = await statements.listSends(query, {
        tenantId,
        subjectIds,
        before: cursor === undefined ? null : (readCursor(cursor, ["id"])[0] ?? null),
        limit: limit + 1,
      });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      const ids = page.map((row) => row.id);
      const attempts = ids.length === 0 ? [] : await statements.listAllAttempts(query, "deliveries", { tenantId, ids });
      const sends = page.map((row) => ({
        deliveryId: row.id,
        destination: row.destination,
        storedAt: row.stored_at.toISOString(),
        data: JSON.parse(row.body) as unknown,
        attempts: attempts.filter((attempt) => attempt.delivery_id === row.id).map(toDeliveryAttempt),
      }));
      return { sends, nextCursor };
    },
    async expungeSends(asked) {
      checkQuery(asked, { tenantId: true, subjectIds: true });
      const { tenantId, subjectIds } = asked;
      checkSubjects(subjectIds);
      if (subjectIds.length === 0) return { inFlight: 0 };
      const [row] = await transaction(async ({ query }) => {
        await statements.lockSends(query, { tenantId, subjectIds });
        return statements.expungeSends(query, { tenantId, subjectIds }, isoTime(clock.now()));
      });
      return { inFlight: row?.in_flight ?? 0 };
    },
  };
}

function checkSubjects(subjectIds: unknown): void {
  if (!Array.isArray(subjectIds)) throw invalidQuery("subjectIds", "is a list of ids");
}

/** Of which attempts are listed at once. */
const MAX_EVENTS = 200;

/** Within the years that Postgres reads in this form. @throws DispatcherError `invalid_query` */
function boundOf(date: Date | undefined, path: string): string | null {
  return date === undefined ? null : isoTime(Math.min(Math.max(timeOf(date, path), FIRST_STORED_MS), LAST_STORED_MS));
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

function toEventAttempt(row: AttemptOfManyRow): EventAttempt {
  return { ...toDeliveryAttempt(row), eventId: row.event_id ?? "", endpointId: row.endpoint_id };
}

function toDeliveryAttempt(row: AttemptOfManyRow): DeliveryAttempt {
  return {
    deliveryId: row.delivery_id,
    attempt: row.attempt,
    startedAt: row.started_at.toISOString(),
    outcome: row.outcome,
    status: row.status,
    responseBody: row.response_body,
  };
}
