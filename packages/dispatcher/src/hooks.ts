import type { Logger } from "@hookline/core";
import type { AttemptOutcome } from "./attempt-outcome.js";
import type { AttemptErrorCode, DeliveryEnding } from "./delivery.js";
import type {
  BacklogGrowing,
  DeliveryExhausted,
  EndpointDisabled,
  EndpointRecovering,
  OperationalEvent,
} from "./operational-events.js";

/** An attempt that was recorded. */
export interface AttemptReport {
  readonly tenantId: string;
  readonly deliveryId: string;
  /** Null for a direct send, as `eventId`. */
  readonly endpointId: string | null;
  readonly eventId: string | null;
  readonly eventType: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly outcome: "delivered" | "retry" | "dead" | "expired";
  /** Null while there is another attempt to come, at `nextAttemptAt`. */
  readonly ending: DeliveryEnding | null;
  readonly status: number | null;
  readonly errorCode: AttemptErrorCode | null;
  readonly reason: string | null;
  readonly durationMs: number;
  readonly nextAttemptAt: Date | null;
}

interface OfTenant {
  readonly tenantId: string;
}

/**
 * Called in the process that recorded what they tell of, after it was committed: at most once. A hook that throws or
 * rejects is logged and changes nothing; nobody waits for it but `stop`.
 */
export interface DispatcherHooks {
  readonly onAttempt?: (attempt: AttemptReport) => void | Promise<void>;
  readonly onEndpointDisabled?: (disabled: EndpointDisabled & OfTenant) => void | Promise<void>;
  readonly onEndpointRecovering?: (recovering: EndpointRecovering & OfTenant) => void | Promise<void>;
  readonly onDeliveryExhausted?: (exhausted: DeliveryExhausted & OfTenant) => void | Promise<void>;
  readonly onBacklogGrowing?: (growing: BacklogGrowing & OfTenant) => void | Promise<void>;
}

export interface HookCalls {
  attempt(outcome: AttemptOutcome): void;
  operational(events: readonly OperationalEvent[]): void;
  /** Resolves when hooks that were called have ended. */
  idle(): Promise<void>;
}

/** Calls hooks without letting them do harm. */
export function createHookCalls(hooks: DispatcherHooks, logger: Logger): HookCalls {
  const running = new Set<Promise<void>>();

  const call = (name: keyof DispatcherHooks, work: () => void | Promise<void>): void => {
    const ended: Promise<void> = (async () => work())()
      .catch((error: unknown) => logger.error({ err: error, hook: name }, "a hook failed"))
      .finally(() => running.delete(ended));
    running.add(ended);
  };

  return {
    attempt(outcome) {
      const { onAttempt } = hooks;
      if (onAttempt !== undefined) call("onAttempt", () => onAttempt(reportOf(outcome)));
    },
    operational(events) {
      for (const { tenantId, type, data } of events) {
        switch (type) {
          case "endpoint.disabled":
            call("onEndpointDisabled", () => hooks.onEndpointDisabled?.({ ...data, tenantId }));
            break;
          case "endpoint.recovering":
            call("onEndpointRecovering", () => hooks.onEndpointRecovering?.({ ...data, tenantId }));
            break;
          case "delivery.exhausted":
            call("onDeliveryExhausted", () => hooks.onDeliveryExhausted?.({ ...data, tenantId }));
            break;
          case "backlog.growing":
            call("onBacklogGrowing", () => hooks.onBacklogGrowing?.({ ...data, tenantId }));
            break;
        }
      }
    },
    async idle() {
      await Promise.all(running);
    },
  };
}

function reportOf({ row, job }: AttemptOutcome): AttemptReport {
  const endpointId = job.recipient.kind === "endpoint" ? job.recipient.endpointId : null;
  return {
    tenantId: job.tenantId,
    deliveryId: row.deliveryId,
    endpointId,
    eventId: endpointId === null ? null : job.event.id,
    eventType: job.event.type,
    attempt: row.attempt,
    outcome: row.outcome,
    ending: row.ending,
    status: row.status,
    errorCode: row.errorCode as AttemptErrorCode | null,
    reason: row.reason,
    durationMs: row.durationMs,
    nextAttemptAt: row.nextAt === null ? null : new Date(row.nextAt),
  };
}
