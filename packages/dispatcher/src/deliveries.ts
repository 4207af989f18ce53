import type { Clock, SqlQuery } from "@hookline/core";
import type {
  Attempt,
  AttemptErrorCode,
  Delivery,
  DeliveryDetail,
  DeliveryStatus,
  LoggedDelivery,
} from "./delivery.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import { isoTime } from "./sql/columns.js";
import type { DescribedDeliveryRow } from "./sql/describe-deliveries.js";
import type { StoredAttemptRow } from "./sql/list-attempts.js";
import type { DeliveryRow, ListDeliveriesParams } from "./sql/list-deliveries.js";
import type { Statements } from "./sql/statements.js";

export interface DeliveryQuery {
  readonly tenantId: string;
  readonly endpointId?: string;
  readonly eventId?: string;
  readonly status?: DeliveryStatus;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Deliveries {
  /** Newest first. `cursor` is what the previous page answered. */
  list(query: DeliveryQuery): Promise<{ readonly deliveries: readonly Delivery[]; readonly nextCursor: string | null }>;
  /** With its attempts; null when the tenant has no delivery of that id. */
  get(delivery: TenantScoped): Promise<DeliveryDetail | null>;
  /** {@link Deliveries.list}, each with its event and its last attempt. */
  log(query: DeliveryQuery): Promise<{
    readonly deliveries: readonly LoggedDelivery[];
    readonly nextCursor: string | null;
  }>;
  /**
   * Puts a finished delivery back in the queue with its whole schedule before it, or makes a waiting one due now.
   *
   * @throws DispatcherError `delivery_not_found`, `delivery_in_flight`, `endpoint_not_found`, `endpoint_disabled`,
   * `deadline_passed`
   */
  retry(delivery: TenantScoped): Promise<DeliveryDetail>;
}

export function createDeliveries(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  /** A delivery is due. */
  readonly wake: () => void;
}): Deliveries {
  const { query, statements, clock } = options;

  const get = async (delivery: TenantScoped): Promise<DeliveryDetail | null> => {
    const { tenantId, id } = delivery;
    const [row] = await statements.listDeliveries(query, { ...ANY, tenantId, id, limit: 1 });
    if (row === undefined) return null;
    const attempts = await statements.listAttempts(query, delivery);
    return { ...toDelivery(row), log: attempts.map(toAttempt) };
  };

  const require = async (delivery: TenantScoped): Promise<DeliveryDetail> => {
    const found = await get(delivery);
    if (found === null) throw new DispatcherError("delivery_not_found", `There is no delivery "${delivery.id}".`);
    return found;
  };

  const list: Deliveries["list"] = async (asked) => {
    const limit = pageLimit(asked.limit);
    const rows = await statements.listDeliveries(query, {
      tenantId: asked.tenantId,
      id: null,
      endpointId: asked.endpointId ?? null,
      eventId: asked.eventId ?? null,
      status: asked.status ?? null,
      before: asked.cursor === undefined ? null : (readCursor(asked.cursor, ["id"])[0] ?? null),
      limit: limit + 1,
    });
    const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
    return { deliveries: page.map(toDelivery), nextCursor };
  };

  return {
    get,
    list,
    async log(asked) {
      const { deliveries, nextCursor } = await list(asked);
      if (deliveries.length === 0) return { deliveries: [], nextCursor };
      const rows = await statements.describeDeliveries(query, asked.tenantId, deliveries);
      const described = new Map(rows.map((row) => [row.delivery_id, row]));
      return { deliveries: deliveries.map((delivery) => toLogged(delivery, described.get(delivery.id))), nextCursor };
    },
    async retry(delivery) {
      const found = await require(delivery);
      if (found.deadline !== null && found.deadline.getTime() <= clock.now()) {
        throw new DispatcherError("deadline_passed", "The delivery's deadline has passed.");
      }
      if (found.endpointId !== null && found.destination === null) {
        throw new DispatcherError("endpoint_not_found", "The delivery's endpoint was deleted.");
      }
      if (found.status === "held") {
        throw new DispatcherError("endpoint_disabled", "The delivery waits for its endpoint, which is disabled.");
      }
      const requeued = await statements.requeueDelivery(query, delivery, isoTime(clock.now()));
      if (requeued.length === 0) {
        throw new DispatcherError("delivery_in_flight", "The delivery is being attempted right now.");
      }
      options.wake();
      return require(delivery);
    },
  };
}

const ANY: Omit<ListDeliveriesParams, "tenantId" | "limit"> = {
  id: null,
  endpointId: null,
  eventId: null,
  status: null,
  before: null,
};

function toDelivery(row: DeliveryRow): Delivery {
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

function toLogged(delivery: Delivery, row: DescribedDeliveryRow | undefined): LoggedDelivery {
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

function statusOf({ ending, state }: DeliveryRow): DeliveryStatus {
  switch (ending) {
    case null:
      return state === 1 ? "held" : "pending";
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
    outcome: row.outcome,
    status: row.status,
    errorCode: row.error_code as AttemptErrorCode | null,
    reason: row.reason,
    requestHeaders: row.request_headers === null ? null : JSON.parse(row.request_headers),
    responseBody: row.response_body,
    nextAttemptAt: row.next_at,
  };
}
