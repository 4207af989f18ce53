/** What one answer says of the limit that it fell under. */
export interface ToldLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAfterMs: number;
}

/** One of Discord's limits: so many requests in a window that begins with the first of them. */
export interface RateLimitBucket {
  /** 0: a place was taken for the request of this id. Else how long to wait, in milliseconds, before it is worth a try. */
  take(id: string, nowMs: number): number;
  /** The request is over. Null: it told nothing, such as one that was not answered. */
  settle(id: string, told: ToldLimit | "unlimited" | null, nowMs: number): void;
  /** Nothing before this time. */
  block(untilMs: number): void;
  /** For one who can't wait here: when to come back, behind those who were sent away before. */
  queue(waitMs: number): number;
  /** Whether to forget it would lose nothing. */
  isIdle(nowMs: number): boolean;
  /** Called once, when something has changed that those who wait may profit by. */
  readonly changed: Set<() => void>;
}

/** An answer that has not come by then does not come; nobody tells of a request that failed on its way. */
const LOST_AFTER_MS = 30_000;
/** How long to wait for an answer that tells the limit. */
const UNTOLD_WAIT_MS = 1_000;

export function createRateLimitBucket(): RateLimitBucket {
  const inFlight = new Map<string, number>();
  const changed = new Set<() => void>();
  /** Null: no answer has told it. */
  let limit: number | null = null;
  let remaining = 0;
  /** Null: the window begins with the next request. */
  let resetAtMs: number | null = null;
  let windowMs = 0;
  let blockedUntilMs = 0;
  let sentAway = 0;

  const renew = (nowMs: number): void => {
    for (const [id, startedAtMs] of inFlight) if (startedAtMs + LOST_AFTER_MS <= nowMs) inFlight.delete(id);
    if (limit === null || resetAtMs === null || nowMs < resetAtMs) return;
    resetAtMs = null;
    remaining = Math.max(0, limit - inFlight.size);
    sentAway = Math.max(0, sentAway - limit);
  };

  return {
    changed,
    take(id, nowMs) {
      // Tried again: what was sent before is over, whatever became of it.
      inFlight.delete(id);
      renew(nowMs);
      if (nowMs < blockedUntilMs) return blockedUntilMs - nowMs;
      // Until a limit is told, one at a time: the first answer tells it.
      const free = limit === null ? inFlight.size === 0 : remaining > 0;
      if (!free) return resetAtMs === null ? UNTOLD_WAIT_MS : Math.max(1, resetAtMs - nowMs);
      if (limit !== null) remaining -= 1;
      inFlight.set(id, nowMs);
      return 0;
    },
    settle(id, told, nowMs) {
      inFlight.delete(id);
      if (told === "unlimited") {
        if (limit === null) remaining = limit = Number.POSITIVE_INFINITY;
      } else if (told !== null) {
        const tellsNewWindow = limit === null || resetAtMs === null || nowMs >= resetAtMs;
        const others = Math.max(0, told.remaining - inFlight.size);
        remaining = tellsNewWindow ? others : Math.min(remaining, told.remaining);
        limit = told.limit;
        windowMs = Math.max(tellsNewWindow ? 0 : windowMs, told.resetAfterMs);
        resetAtMs = Math.max(tellsNewWindow ? 0 : (resetAtMs ?? 0), nowMs + told.resetAfterMs);
      }
      const waiting = [...changed];
      changed.clear();
      for (const wake of waiting) wake();
    },
    block(untilMs) {
      blockedUntilMs = Math.max(blockedUntilMs, untilMs);
    },
    queue(waitMs) {
      const rounds = limit === null || limit <= 0 ? 0 : Math.floor(sentAway / limit);
      sentAway += 1;
      return waitMs + rounds * windowMs;
    },
    isIdle(nowMs) {
      renew(nowMs);
      return inFlight.size === 0 && changed.size === 0 && resetAtMs === null && nowMs >= blockedUntilMs;
    },
  };
}
