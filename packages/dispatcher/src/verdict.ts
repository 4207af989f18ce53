import type { AttemptResult } from "./attempt.js";
import { writePhases } from "./attempt-phases.js";
import type { EndpointPolicy } from "./endpoint.js";
import type { Job } from "./job.js";
import { isUsedUp, type RetrySchedule, retryDelayMs } from "./retry-schedule.js";
import { createIsoTime, isoTime, plainText } from "./sql/columns.js";
import type { AttemptRow, Ending } from "./sql/record-attempts.js";

const MAX_REASON_CHARACTERS = 500;

export interface VerdictInput {
  readonly job: Job;
  readonly result: AttemptResult;
  readonly policy: EndpointPolicy;
  readonly entity: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Decides from an attempt's result how the delivery goes on: ended, or again at what time. */
export function createVerdict(options: {
  readonly schedule: RetrySchedule;
  readonly maxRetryAfterMs: number;
  readonly random: () => number;
}) {
  const { maxRetryAfterMs, random } = options;
  const startTime = createIsoTime();

  const nextAtMs = ({ job, result, policy, endedAtMs }: VerdictInput): number | null => {
    const failed = job.attempts + 1 - job.firstAttempt;
    const schedule = policy.retrySchedule ?? options.schedule;
    const delayMs = isUsedUp(schedule, failed, policy.maxAttempts) ? null : retryDelayMs(schedule, failed, random);
    // Whoever set a deadline is told of the failure: the next turn calls `expire` instead of another attempt.
    if (delayMs === null) return job.deadlineMs === null ? null : endedAtMs;
    const askedMs = Math.min(result.retryAfterMs ?? 0, maxRetryAfterMs);
    const exactMs = result.retryInMs === undefined ? null : Math.min(Math.max(0, result.retryInMs), maxRetryAfterMs);
    const atMs = endedAtMs + (exactMs ?? Math.max(delayMs, askedMs));
    // There is no attempt after the deadline: at the deadline it is said that it passed.
    return job.deadlineMs === null ? atMs : Math.min(atMs, job.deadlineMs);
  };

  return function verdict(input: VerdictInput): AttemptRow {
    const { job, startedAtMs, endedAtMs } = input;
    const result = withoutRetries(input);
    const nextMs = result.outcome === "retry" ? nextAtMs(input) : null;
    return {
      deliveryId: job.deliveryId,
      leaseNo: job.leaseNo,
      attempt: job.attempts + 1,
      startedAt: startTime(startedAtMs),
      durationMs: Math.max(0, Math.round(endedAtMs - startedAtMs)),
      outcome: result.outcome,
      ending: nextMs === null ? endingOf(result) : null,
      status: result.status ?? null,
      errorCode: result.errorCode ?? null,
      reason: result.reason === undefined ? null : plainText(result.reason.slice(0, MAX_REASON_CHARACTERS)),
      requestHeaders: result.requestHeaders ?? null,
      responseBody: result.responseBody ?? null,
      phases: result.phases ? writePhases(result.phases) : null,
      nextAt: nextMs === null ? null : isoTime(nextMs),
      entity: result.state === undefined ? null : input.entity,
      state: result.state ?? null,
    };
  };
}

/** A request timeout, too early, too many requests: these say "later", not "wrong". */
const RETRIED_CLIENT_ERRORS: ReadonlySet<number> = new Set([408, 425, 429]);

/** Ends what the endpoint's policy does not want to have tried again. */
function withoutRetries({ result, policy }: VerdictInput): AttemptResult {
  const { outcome, status = 0 } = result;
  const isClientError = status >= 400 && status < 500 && !RETRIED_CLIENT_ERRORS.has(status);
  const isEnd = outcome === "retry" && policy.retryClientErrors === false && isClientError;
  return isEnd ? { ...result, outcome: "dead" } : result;
}

function endingOf(result: AttemptResult): Ending {
  switch (result.outcome) {
    case "delivered":
      return result.skipped ? "skipped" : "delivered";
    case "retry":
      return "exhausted";
    case "dead":
      if (result.errorCode === "payload_expunged") return "expunged";
      return result.errorCode === "endpoint_deleted" ? "endpoint_deleted" : "refused";
    case "expired":
      return "expired";
  }
}
