import type {
  Destination,
  DestinationContext,
  DestinationEndpoint,
  DestinationResponse,
  Interpretation,
} from "@hookline/core";
import type { AttemptEnd } from "./attempt-end.js";
import type { AttemptErrorCode, AttemptPhases } from "./delivery.js";
import type { HttpSender } from "./http-sender.js";
import { errorCodeOf, interpretStatus } from "./interpretation.js";
import type { Job } from "./job.js";
import { redactHeaders, redactResponse, redactText } from "./redaction.js";
import { parseRetryAfterMs } from "./retry-schedule.js";
import type { ThinkingTime } from "./thinking-time.js";

/** What one attempt came to, before anybody decides when the next one is. */
export interface AttemptResult {
  readonly outcome: "delivered" | "retry" | "dead" | "expired";
  /** True when there was nothing to do. */
  readonly skipped?: boolean;
  readonly status?: number;
  readonly errorCode?: AttemptErrorCode;
  readonly reason?: string;
  /** JSON text. */
  readonly requestHeaders?: string;
  readonly responseBody?: string | null;
  readonly phases?: AttemptPhases | null;
  readonly retryAfterMs?: number;
  /** Instead of what the schedule says. */
  readonly retryInMs?: number;
  readonly disableEndpoint?: boolean;
  /** JSON text. */
  readonly state?: string;
  /** Nothing was attempted: the destination wants to be asked again after this time. */
  readonly waitMs?: number;
}

export interface AttemptInput {
  readonly job: Job;
  readonly destination: Destination;
  readonly endpoint: DestinationEndpoint;
  readonly state: unknown;
  readonly startedAtMs: number;
  /** Every attempt of the schedule was made. */
  readonly usedUp: boolean;
  readonly end: AttemptEnd;
}

/**
 * Plans, sends and reads one attempt. Never rejects, and is over when `end` comes. `traceHeaders` are sent along, where the
 * destination sets none of the same name.
 */
export function createAttempt(options: {
  readonly sender: HttpSender;
  readonly keptResponseCharacters: number;
  readonly thinking: ThinkingTime;
}) {
  const { sender, keptResponseCharacters, thinking } = options;

  return async function attempt(
    input: AttemptInput,
    traceHeaders: Readonly<Record<string, string>> | null,
  ): Promise<AttemptResult> {
    const { job, destination, end } = input;
    const context = contextOf(input);
    if (job.deadlineMs !== null && (input.usedUp || input.startedAtMs >= job.deadlineMs)) {
      return expire(destination, job, context);
    }
    let plan: Awaited<ReturnType<Destination["plan"]>>;
    try {
      const planned = thinking.timed(job.tenantId, () => destination.plan(job.event, context));
      plan =
        typeof planned === "object" && planned !== null && "then" in planned
          ? await withinSignal(planned, end.signal)
          : planned;
    } catch (error) {
      if (end.aborted) return TIMED_OUT;
      return { outcome: "dead", errorCode: "plan_failed", reason: messageOf(error) };
    }
    if (end.aborted) return TIMED_OUT;
    if (plan === null) return { outcome: "delivered", skipped: true };
    if (!isPlan(plan)) return { outcome: "dead", errorCode: "plan_failed", reason: "The plan is of no known kind." };
    if (plan.kind === "wait") return waitOf(plan.waitMs);
    if (plan.kind === "run") {
      try {
        return fromInterpretation(await withinSignal(plan.run(), end.signal), "refused");
      } catch (error) {
        if (end.aborted) return TIMED_OUT;
        return { outcome: "retry", errorCode: "run_failed", reason: messageOf(error) };
      }
    }
    const request =
      traceHeaders === null ? plan.request : { ...plan.request, headers: { ...traceHeaders, ...plan.request.headers } };
    const sent = await sender.send(request, end);
    const { phases } = sent;
    const requestHeaders = redactHeaders(request.headers);
    if (sent.kind === "failed") {
      const outcome = sent.errorCode === "plan_failed" ? "dead" : "retry";
      return { outcome, errorCode: sent.errorCode, reason: sent.reason, requestHeaders, phases };
    }
    const { response } = sent;
    const interpreted = interpret(input, response);
    const { status } = response;
    const sentTexts = { secrets: input.endpoint.secrets, headers: request.headers, url: request.url };
    const responseBody = redactResponse(response.body, sentTexts, keptResponseCharacters);
    // Most are delivered, and to spread costs.
    if (interpreted === DELIVERED) return { outcome: "delivered", status, requestHeaders, phases, responseBody };
    // A destination may quote the answer.
    const { reason } = interpreted;
    const told = reason === undefined ? interpreted : { ...interpreted, reason: redactText(reason, sentTexts) };
    return { ...told, status, requestHeaders, phases, responseBody };
  };
}

/** Not every destination was compiled. */
function isPlan(plan: unknown): boolean {
  const { kind, request } = Object(plan) as Partial<Record<"kind" | "request", unknown>>;
  return kind === "run" || kind === "wait" || (kind === "request" && typeof request === "object" && request !== null);
}

/** Whoever looks at its signal gets one. */
function contextOf({ job, endpoint, state, startedAtMs, end }: AttemptInput): DestinationContext {
  return {
    endpoint,
    state,
    deliveryId: job.deliveryId,
    attempt: job.attempts + 1,
    now: new Date(startedAtMs),
    get signal() {
      return end.signal;
    },
  };
}

const DELIVERED: AttemptResult = { outcome: "delivered" };

const TIMED_OUT: AttemptResult = {
  outcome: "retry",
  errorCode: "timeout",
  reason: "The destination did not finish within the time limit.",
};

function waitOf(waitMs: number): AttemptResult {
  const reason = `The destination's rate limit has room in ${Math.ceil(waitMs / 1_000)} s.`;
  return { outcome: "retry", errorCode: "rate_limited", reason, waitMs: Math.max(0, waitMs) };
}

async function expire(destination: Destination, job: Job, context: DestinationContext): Promise<AttemptResult> {
  const isPast = job.deadlineMs !== null && context.now.getTime() >= job.deadlineMs;
  const reason = isPast ? "The deadline passed before it was delivered." : "No attempt before its deadline is left.";
  try {
    if (destination.expire) await withinSignal(destination.expire(job.event, context), context.signal);
    return { outcome: "expired", errorCode: "expired", reason };
  } catch (error) {
    return { outcome: "expired", errorCode: "expired", reason: `${reason} To say so failed: ${messageOf(error)}` };
  }
}

/** Nobody can enable again what a direct send goes to. */
function interpretPlainly({ endpoint }: AttemptInput, response: DestinationResponse): Interpretation<never> {
  const interpretation = interpretStatus(response);
  return interpretation.disableEndpoint && endpoint.id === null
    ? { ...interpretation, outcome: "dead" }
    : interpretation;
}

function interpret(input: AttemptInput, response: DestinationResponse): AttemptResult {
  const { destination, job } = input;
  const errorCode = errorCodeOf(response.status);
  const asked = parseRetryAfterMs(response.headers["retry-after"], input.startedAtMs);
  const withRetryAfter = (result: AttemptResult): AttemptResult =>
    result.outcome === "retry" && result.retryAfterMs === undefined && asked !== undefined
      ? { ...result, retryAfterMs: asked }
      : result;
  if (!destination.interpret) {
    const interpretation = interpretPlainly(input, response);
    return interpretation.outcome === "delivered"
      ? DELIVERED
      : withRetryAfter(fromInterpretation(interpretation, errorCode));
  }
  try {
    // Not spread: that would look at the signal.
    const context = Object.assign(contextOf(input), { event: job.event });
    return withRetryAfter(fromInterpretation(destination.interpret(response, context), errorCode));
  } catch (error) {
    const result = fromInterpretation(interpretPlainly(input, response), errorCode);
    return withRetryAfter({ ...result, errorCode: "interpret_failed", reason: messageOf(error) });
  }
}

function fromInterpretation(interpretation: Interpretation, errorCode: AttemptErrorCode): AttemptResult {
  const { outcome, retryAfterMs, retryInMs, reason, disableEndpoint, state } = interpretation;
  if (outcome !== "delivered" && outcome !== "retry" && outcome !== "dead") {
    throw new TypeError(`A destination answered the outcome "${String(outcome)}", which there is not.`);
  }
  return {
    outcome,
    ...(outcome === "delivered" ? {} : { errorCode }),
    ...(retryAfterMs !== undefined && Number.isFinite(retryAfterMs) ? { retryAfterMs } : {}),
    ...(retryInMs !== undefined && Number.isFinite(retryInMs) ? { retryInMs } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(disableEndpoint === undefined ? {} : { disableEndpoint }),
    ...(state === undefined ? {} : { state: JSON.stringify(state) }),
  };
}

/** Ends with the signal, also when the work does not listen to it. */
function withinSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
