import type { Clock, Logger, SqlQuery } from "@hookline/core";
import { isDatabaseError } from "@hookline/postgres";
import { DispatcherError } from "./errors.js";
import type { Job } from "./job.js";
import { isoTime } from "./sql/columns.js";
import type { RecordedRow } from "./sql/record-attempts.js";
import type { Statements } from "./sql/statements.js";

const FIRST_DELAY_MS = 5_000;
const MAX_DOUBLINGS = 8;

/** Whether a target or secret cannot be decrypted with the keys of this process. */
export function isUnreadable(error: unknown): boolean {
  return isDatabaseError(error) && error.code === "decrypt_failed";
}

/** What is asked of an endpoint needs what cannot be decrypted; `advice` says what would help. */
export function endpointUnreadable(what: "target" | "secrets", advice: string, cause?: unknown): DispatcherError {
  const message = `The endpoint's ${what} cannot be decrypted with the keys that there are: ${advice}.`;
  return new DispatcherError("endpoint_unreadable", message, { cause });
}

/**
 * Puts deliveries off whose target cannot be read, until the key is back: 5 seconds at first, twice as long after each
 * further lease, 21 minutes at most. Each try is in the attempt log, and none counts in the retry schedule.
 */
export function createUnreadableTargets(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
  /** They wait for their retry: what is behind them in an order may pass. */
  readonly passTurns: (rows: readonly RecordedRow[]) => void;
}) {
  const { query, statements, clock, logger, passTurns } = options;

  return async function putOff(job: Job, error: unknown): Promise<void> {
    const { deliveryId, leaseNo } = job;
    // The first one that is claimed has the second lease.
    const doublings = Math.min(Math.max(0, leaseNo - 2), MAX_DOUBLINGS);
    const delayMs = FIRST_DELAY_MS * 2 ** doublings;
    const endpointId = job.recipient.kind === "endpoint" ? job.recipient.endpointId : null;
    logger.error({ err: error, deliveryId, endpointId, delayMs }, "the target cannot be decrypted; the delivery waits");
    const nowMs = clock.now();
    const why = error instanceof Error ? error.message : String(error);
    const row = {
      deliveryId,
      leaseNo,
      errorCode: "decrypt_failed",
      reason: `The target or its secrets cannot be read, and wait for their encryption key. ${why}`,
      nextAt: isoTime(nowMs + delayMs),
    };
    passTurns(await statements.putOffDelivery(query, row, isoTime(nowMs)));
  };
}
