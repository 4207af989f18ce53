import type { Job } from "./job.js";
import type { ClaimedRow } from "./sql/claim-deliveries.js";
import { isoTime } from "./sql/columns.js";
import type { EventRow, PublishedRow } from "./sql/publish-events.js";
import type { MessageRow } from "./sql/send-message.js";
import { createStoredEvent } from "./stored-event.js";

/** The event type that a destination sees of a direct send. */
export const DIRECT_SEND_TYPE = "direct.send";

/** What a row says of its endpoint; null for a healthy one. */
export function healthOf(row: Pick<ClaimedRow, "failures" | "openings" | "blocked_until">): Job["health"] {
  if (!row.failures && row.blocked_until === null) return null;
  return { isOpen: (row.openings ?? 0) > 0, untilMs: row.blocked_until?.getTime() ?? null };
}

/** A row that was claimed from outside the line: the claim let it through, whatever its endpoint's state. */
export function admittedJobOf(row: ClaimedRow, leasedUntilMs: number): Job {
  return { ...jobOf(row, leasedUntilMs), isProbe: (row.openings ?? 0) > 0 };
}

/** What every delivery starts with, as the tables' defaults have it. */
const FRESH = { leaseNo: 1, attempts: 0, firstAttempt: 0, deadlineMs: null, health: null, isProbe: false } as const;

/** A claimed row as a job. */
export function jobOf(row: ClaimedRow, leasedUntilMs: number): Job {
  return {
    deliveryId: row.id,
    tenantId: row.tenant_id,
    event: createStoredEvent({
      id: row.event_id ?? row.id,
      type: row.type ?? DIRECT_SEND_TYPE,
      timestamp: (row.occurred_at ?? new Date(0)).toISOString(),
      tenantId: row.tenant_id,
      subjectId: row.subject_id,
      dataText: row.body ?? "null",
    }),
    recipient:
      row.endpoint_id === null
        ? { kind: "direct", destination: row.destination ?? "", target: row.target ?? "" }
        : { kind: "endpoint", endpointId: row.endpoint_id, version: row.version },
    leaseNo: row.lease_no,
    leasedUntilMs,
    attempts: row.attempt,
    firstAttempt: row.first_attempt,
    deadlineMs: row.deadline_at?.getTime() ?? null,
    expunged: row.expunged,
    missing: row.missing,
    health: healthOf(row),
    isProbe: false,
    traceContext: row.trace_context,
  };
}

/** What a publication made and leased at once. */
export function publishedJobs(
  rows: readonly EventRow[],
  made: readonly PublishedRow[],
  leasedUntilMs: number,
): readonly Job[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const events = new Map<string, Job["event"]>();
  const jobs: Job[] = [];
  for (const delivery of made) {
    const { event_id: eventId, delivery_id: deliveryId, endpoint_id: endpointId, version, leased } = delivery;
    const row = byId.get(eventId);
    if (row === undefined || deliveryId === null || endpointId === null || !leased) continue;
    let event = events.get(eventId);
    if (event === undefined) {
      event = createStoredEvent({
        id: row.id,
        type: row.type,
        timestamp: row.occurredAt,
        tenantId: row.tenantId,
        subjectId: row.subjectId,
        dataText: row.body,
      });
      events.set(eventId, event);
    }
    jobs.push({
      deliveryId,
      tenantId: row.tenantId,
      event,
      recipient: { kind: "endpoint", endpointId, version },
      leasedUntilMs,
      ...FRESH,
      health: healthOf(delivery),
      traceContext: row.traceContext,
    });
  }
  return jobs;
}

/** A direct send as it was stored. */
export function directJobOf(row: MessageRow, nowMs: number, leasedUntilMs: number): Job {
  return {
    deliveryId: row.id,
    tenantId: row.tenantId,
    event: createStoredEvent({
      id: row.id,
      type: DIRECT_SEND_TYPE,
      timestamp: isoTime(nowMs),
      tenantId: row.tenantId,
      subjectId: null,
      dataText: row.body,
    }),
    recipient: { kind: "direct", destination: row.destination, target: row.target },
    leasedUntilMs,
    ...FRESH,
    traceContext: row.traceContext,
    deadlineMs: row.deadlineAt === null ? null : Date.parse(row.deadlineAt),
  };
}
