import type { Job } from "./job.js";
import type { ClaimedRow } from "./sql/claim-deliveries.js";
import { createStoredEvent } from "./stored-event.js";

/** The event type that a destination sees of a direct send. */
export const DIRECT_SEND_TYPE = "direct.send";

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
  };
}
