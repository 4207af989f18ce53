import { readPhases } from "./attempt-phases.js";
import type { Attempt, AttemptErrorCode, Delivery, DeliveryStatus, LoggedDelivery } from "./delivery.js";
import type { DescribedDeliveryRow } from "./sql/describe-deliveries.js";
import type { StoredAttemptRow } from "./sql/list-attempts.js";
import type { DeliveryRow } from "./sql/list-deliveries.js";

/** A delivery as the API shows it. */
export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    status: statusOf(row),
    ending: row.ending,
    reason: row.reason,
    eventId: row.event_id,
    eventType: row.event_type,
    endpointId: row.endpoint_id,
    destination: row.destination,
    attempts: row.attempts,
    nextAttemptAt: row.next_at,
    deadline: row.deadline_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

/** A delivery with its event and last attempt, as the API shows it. */
export function toLogged(delivery: Delivery, row: DescribedDeliveryRow | undefined): LoggedDelivery {
  const { eventId: id, eventType: type, tenantId } = delivery;
  const event =
    id === null || type === null || !row?.occurred_at || row.body === null
      ? null
      : {
          id,
          type,
          tenantId,
          timestamp: row.occurred_at.toISOString(),
          data: JSON.parse(row.body) as unknown,
          ...(row.subject_id === null ? {} : { subjectId: row.subject_id }),
        };
  return { ...delivery, event, lastAttempt: row === undefined || row.attempt === null ? null : toAttempt(row) };
}

function statusOf({ ending, held }: DeliveryRow): DeliveryStatus {
  switch (ending) {
    case null:
      return held ? "held" : "pending";
    case "delivered":
    case "skipped":
      return "delivered";
    case "expired":
      return "expired";
    default:
      return "dead";
  }
}

/** An attempt as the API shows it. */
export function toAttempt(row: StoredAttemptRow): Attempt {
  return {
    attempt: row.attempt,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    phases: row.phases === null ? null : readPhases(row.phases),
    outcome: row.outcome,
    status: row.status,
    errorCode: row.error_code as AttemptErrorCode | null,
    reason: row.reason,
    requestHeaders: row.request_headers === null ? null : JSON.parse(row.request_headers),
    responseBody: row.response_body,
    nextAttemptAt: row.next_at,
  };
}
