import type { AttemptResult } from "./attempt.js";

/** What an attempt says about its endpoint; `none` when no request was made, or its answer is about the payload only. */
export type EndpointSignal = "success" | "outage" | "slow_down" | "none";

/** Reads an attempt for what it says about the endpoint. What a run in this process did says nothing about a network. */
export function signalOf(result: AttemptResult): EndpointSignal {
  const { outcome, status, errorCode } = result;
  if (result.requestHeaders === undefined || errorCode === "plan_failed") return "none";
  if (outcome === "delivered") return "success";
  if (status === 429) return "slow_down";
  return status !== undefined && status >= 200 && status < 300 ? "none" : "outage";
}

export interface EndpointSlowdown {
  /**
   * Takes note of an attempt. Answers until when the endpoint is to be left alone, which it said by a Retry-After of
   * 429, 502, 503 or 504, or by one of 429, 502, 504 without; null when it did not.
   */
  heed(attempt: {
    readonly endpointId: string;
    readonly result: AttemptResult;
    readonly startedAtMs: number;
    readonly endedAtMs: number;
  }): number | null;
  /** How many attempts may be in flight to it. */
  limitOf(endpointId: string): number;
  /** It is back after an outage: one at a time first. */
  startSlowly(endpointId: string, nowMs: number): void;
  /** Lifts what was not renewed for an hour. */
  prune(nowMs: number): void;
}

interface Entry {
  limit: number;
  /** How often in a row it was lowered. */
  cuts: number;
  cutAtMs: number;
  successes: number;
}

const THROTTLING: ReadonlySet<number> = new Set([429, 502, 504]);
const PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
const KEPT_MS = 3_600_000;

/**
 * Lowers what one endpoint gets at a time when it asks for that, and raises it as it succeeds: half as much for each
 * 429, 502 or 504, one more for each round of successes.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function createEndpointSlowdown(options: {
  readonly maxInFlightPerEndpoint: number;
  /** The longest that an endpoint is left alone for one Retry-After. */
  readonly maxHoldMs: number;
}): EndpointSlowdown {
  const { maxInFlightPerEndpoint, maxHoldMs } = options;
  const entries = new Map<string, Entry>();

  const lower = (endpointId: string, startedAtMs: number, endedAtMs: number): Entry => {
    const entry = entries.get(endpointId) ?? {
      limit: maxInFlightPerEndpoint,
      cuts: 0,
      cutAtMs: Number.NEGATIVE_INFINITY,
      successes: 0,
    };
    // What was in flight together tells of it together: that is one cut.
    if (startedAtMs >= entry.cutAtMs) {
      entry.limit = Math.max(1, Math.floor(entry.limit / 2));
      entry.cuts += 1;
      entry.cutAtMs = endedAtMs;
      entry.successes = 0;
    }
    entries.set(endpointId, entry);
    return entry;
  };

  const raise = (endpointId: string): void => {
    const entry = entries.get(endpointId);
    if (entry === undefined) return;
    entry.cuts = 0;
    entry.successes += 1;
    if (entry.successes < entry.limit) return;
    entry.successes = 0;
    entry.limit += 1;
    if (entry.limit >= maxInFlightPerEndpoint) entries.delete(endpointId);
  };

  return {
    heed({ endpointId, result, startedAtMs, endedAtMs }) {
      const { status = 0, retryAfterMs } = result;
      if (result.outcome === "delivered") {
        raise(endpointId);
        return null;
      }
      const throttles = THROTTLING.has(status);
      if (!throttles && !(status === 503 && retryAfterMs !== undefined)) return null;
      const { cuts } = lower(endpointId, startedAtMs, endedAtMs);
      const pauseMs = Math.min(PAUSE_MS * 2 ** (cuts - 1), MAX_PAUSE_MS);
      return endedAtMs + (retryAfterMs === undefined ? pauseMs : Math.min(retryAfterMs, maxHoldMs));
    },
    limitOf: (endpointId) => entries.get(endpointId)?.limit ?? maxInFlightPerEndpoint,
    startSlowly(endpointId, nowMs) {
      entries.set(endpointId, { limit: 1, cuts: 0, cutAtMs: nowMs, successes: 0 });
    },
    prune(nowMs) {
      for (const [endpointId, { cutAtMs }] of entries) {
        if (nowMs - cutAtMs > KEPT_MS) entries.delete(endpointId);
      }
    },
  };
}
