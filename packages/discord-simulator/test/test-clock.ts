import type { Clock } from "@hookline/core";

export interface TestClock extends Clock {
  /** Lets so much time pass, with the timers that fall into it. */
  advance(ms: number): void;
}

/** A clock that only moves when it is told to. */
export function createTestClock(startMs = 1_800_000_000_000): TestClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  return {
    now: () => nowMs,
    setTimer(callback, delayMs) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance(ms) {
      nowMs += ms;
      for (const timer of [...timers].sort((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= nowMs && timers.delete(timer)) {
          timer.callback();
        }
      }
    },
  };
}
