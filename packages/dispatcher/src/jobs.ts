import type { Job } from "./job.js";
import type { ClaimedRow } from "./sql/claim-deliveries.js";
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
    health: healthOf(row),
    isProbe: false,
  };
}
