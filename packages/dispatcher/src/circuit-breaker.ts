/** When deliveries to an endpoint that keeps failing wait, and how often it is tried meanwhile. */
export interface CircuitBreakerOptions {
  /** Failed attempts in a row that open it. Default 10. */
  readonly failures?: number;
  /** How long the first opening lasts; each failed probe doubles it. Default 10,000. */
  readonly openMs?: number;
  /** The longest that an opening lasts. Default 600,000 (ten minutes). */
  readonly maxOpenMs?: number;
}

/** What is known of an endpoint, as its columns have it. */
export interface HealthState {
  /** Failed attempts since the last success. */
  readonly failures: number;
  /** Of which those that speak of an outage: all but a 429. */
  readonly outages: number;
  /** How often in a row the circuit breaker opened; 0 while it is closed. */
  readonly openings: number;
  readonly failingSinceMs: number | null;
  /** No probe before. */
  readonly circuitUntilMs: number | null;
  /** The endpoint asked not to be called before. */
  readonly heldUntilMs: number | null;
}

/** What attempts at one endpoint that are recorded together came to, the later ones counting for more. */
export interface HealthObservation {
  /** Some attempt succeeded; the failures below came after it. */
  readonly hasSucceeded: boolean;
  readonly failures: number;
  readonly outages: number;
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  readonly hasProbed: boolean;
  readonly heldUntilMs: number | null;
}

export interface HealthRules {
  /** Null: it never opens. */
  readonly circuitBreaker: Required<CircuitBreakerOptions> | null;
  /** Null: never disabled for failing. */
  readonly disableAfterMs: number | null;
}

export interface HealthChange {
  readonly state: HealthState;
  /** The circuit breaker was open and is closed now. */
  readonly hasClosed: boolean;
  /** It failed for as long as the rules allow. */
  readonly isGivenUp: boolean;
}

/** Fewer failures than this say nothing about the time between them. */
const MIN_FAILURES_TO_DISABLE = 5;

export const HEALTHY: HealthState = {
  failures: 0,
  outages: 0,
  openings: 0,
  failingSinceMs: null,
  circuitUntilMs: null,
  heldUntilMs: null,
};

/** What is known of an endpoint after attempts at it. A pure function: the time comes in. */
export function nextHealth(
  known: HealthState,
  seen: HealthObservation,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): HealthChange {
  const before = seen.hasSucceeded ? { ...HEALTHY, heldUntilMs: known.heldUntilMs } : known;
  const askedUntilMs = latest(before.heldUntilMs, seen.heldUntilMs);
  // What has passed says nothing any more.
  const heldUntilMs = askedUntilMs !== null && askedUntilMs > nowMs ? askedUntilMs : null;
  const hasClosed = seen.hasSucceeded && known.openings > 0;
  if (seen.failures === 0) return { state: { ...before, heldUntilMs }, hasClosed, isGivenUp: false };

  const failingSinceMs = before.failingSinceMs ?? seen.firstFailedAtMs;
  const state = {
    failures: before.failures + seen.failures,
    outages: before.outages + seen.outages,
    openings: before.openings,
    failingSinceMs,
    circuitUntilMs: before.circuitUntilMs,
    heldUntilMs,
  };
  const isGivenUp =
    rules.disableAfterMs !== null &&
    state.failures >= MIN_FAILURES_TO_DISABLE &&
    seen.lastFailedAtMs - failingSinceMs >= rules.disableAfterMs;
  return { state: { ...state, ...openings(state, seen.hasProbed, { rules, nowMs }) }, hasClosed, isGivenUp };
}

/** Opens it, or opens it anew after a failed probe. What was still in flight when it opened changes nothing. */
function openings(
  state: HealthState,
  hasProbed: boolean,
  { rules: { circuitBreaker }, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): Pick<HealthState, "openings" | "circuitUntilMs"> {
  if (circuitBreaker === null) return { openings: 0, circuitUntilMs: null };
  const opens = state.openings === 0 ? state.outages >= circuitBreaker.failures : hasProbed;
  if (!opens) return { openings: state.openings, circuitUntilMs: state.circuitUntilMs };
  const openMs = Math.min(circuitBreaker.openMs * 2 ** Math.min(state.openings, 30), circuitBreaker.maxOpenMs);
  return { openings: state.openings + 1, circuitUntilMs: nowMs + openMs };
}

/** When deliveries may be attempted again; null when they may now. */
export function blockedUntilMs({ circuitUntilMs, heldUntilMs }: HealthState): number | null {
  return latest(circuitUntilMs, heldUntilMs);
}

function latest(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.max(one, other);
}
