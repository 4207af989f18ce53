import type { Clock } from "@hookline/core";

/** A clock that stands still until it is moved. */
export interface VirtualClock extends Clock {
  /** Moves on, and calls what is due on the way, in order, each at its own time. */
  advance(ms: number): void;
  /** {@link VirtualClock.advance} up to a time; does nothing when it has passed. */
  advanceTo(time: Date | number): void;
  /** When the next timer is due; null when there is none. */
  readonly nextTimerAtMs: number | null;
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/**
 * A clock for tests: 75 hours pass in no time. Hand it to `createDispatcher` as `clock`.
 *
 * Only time is virtual. Requests and the database are real, so wait for what they bring about before moving on.
 *
 * @example
 * const clock = createVirtualClock();
 * clock.advance(5 * 60_000);
 */
export function createVirtualClock(start: Date | number = Date.UTC(2030, 0, 1)): VirtualClock {
  let nowMs = start.valueOf();
  const timers = new Set<Timer>();

  const next = (): Timer | null => {
    let earliest: Timer | null = null;
    for (const timer of timers) {
      if (earliest === null || timer.atMs < earliest.atMs) earliest = timer;
    }
    return earliest;
  };

  const advanceTo = (time: Date | number): void => {
    const untilMs = time.valueOf();
    for (let timer = next(); timer !== null && timer.atMs <= untilMs; timer = next()) {
      timers.delete(timer);
      nowMs = Math.max(nowMs, timer.atMs);
      timer.callback();
    }
    nowMs = Math.max(nowMs, untilMs);
  };

  return {
    now: () => nowMs,
    setTimer(callback, delayMs) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advanceTo,
    advance: (ms) => advanceTo(nowMs + ms),
    get nextTimerAtMs() {
      return next()?.atMs ?? null;
    },
  };
}
