import type { Clock } from "@hookline/core";

/**
 * Spaces IDENTIFYs out when they become many: Discord resets the token of a bot that identifies 1,000 times a day,
 * and the library alone would do so every five seconds. Resumes are not counted.
 */
const SPACING = [
  { inLastHour: 20, spacingMs: 5 * 60_000 },
  { inLastHour: 6, spacingMs: 60_000 },
] as const;

const HOUR_MS = 3_600_000;

export interface IdentifyThrottle {
  /** Resolves when the next IDENTIFY may go out, and counts it; rejects when `signal` aborts first. */
  wait(signal: AbortSignal): Promise<void>;
}

/** Outlives a connection: what one has used up, the next one may not use again. */
export function createIdentifyThrottle(clock: Clock): IdentifyThrottle {
  let identifiedAtMs: readonly number[] = [];

  function delayMs(): number {
    const now = clock.now();
    identifiedAtMs = identifiedAtMs.filter((at) => now - at < HOUR_MS);
    const rule = SPACING.find(({ inLastHour }) => identifiedAtMs.length >= inLastHour);
    const last = identifiedAtMs.at(-1);
    return rule && last !== undefined ? Math.max(0, last + rule.spacingMs - now) : 0;
  }

  return {
    async wait(signal) {
      const waitMs = delayMs();
      if (waitMs > 0) {
        await new Promise<void>((resolve, reject) => {
          const cancel = clock.setTimer(() => {
            signal.removeEventListener("abort", abort);
            resolve();
          }, waitMs);
          const abort = () => {
            cancel();
            reject(signal.reason);
          };
          signal.addEventListener("abort", abort, { once: true });
        });
      }
      signal.throwIfAborted();
      identifiedAtMs = [...identifiedAtMs, clock.now()];
    },
  };
}
