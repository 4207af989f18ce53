import type { Clock } from "@hookline/core";

/** Stands still until it is told otherwise. */
export interface ManualClock extends Clock {
  advance(byMs: number): void;
}

export function createManualClock(): ManualClock {
  let nowMs = 1_000_000;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  return {
    now: () => nowMs,
    setTimer(callback, delayMs) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(byMs) {
      nowMs += byMs;
      for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}
