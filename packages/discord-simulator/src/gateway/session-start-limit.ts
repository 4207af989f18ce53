const DAY_MS = 86_400_000;

/** How many IDENTIFYs a token has left today. */
export interface SessionStartLimit {
  payload(): { total: number; remaining: number; reset_after: number; max_concurrency: number };
  /** False: none is left. */
  take(): boolean;
}

interface LimitInput {
  readonly total: number;
  readonly maxConcurrency: number;
  readonly now: () => number;
}

export function createSessionStartLimit({ total, maxConcurrency, now }: LimitInput): SessionStartLimit {
  let remaining = total;
  let resetsAtMs = now() + DAY_MS;

  function renew(): void {
    if (now() >= resetsAtMs) {
      remaining = total;
      resetsAtMs = now() + DAY_MS;
    }
  }

  return {
    payload() {
      renew();
      return { total, remaining, reset_after: resetsAtMs - now(), max_concurrency: maxConcurrency };
    },
    take() {
      renew();
      if (remaining === 0) {
        return false;
      }
      remaining -= 1;
      return true;
    },
  };
}
