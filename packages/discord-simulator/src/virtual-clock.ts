import type { Clock } from "@hookline/core";

/** A clock that runs with another one, and can be put forward. */
export interface VirtualClock extends Clock {
  /** Lets so many milliseconds pass at once, with the timers that fall into them, each at its time. */
  advance(byMs: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
  disarm: () => void;
}

export function createVirtualClock(base: Clock): VirtualClock {
  const timers = new Set<Timer>();
  let aheadMs = 0;
  const now = () => base.now() + aheadMs;

  function fire(timer: Timer): void {
    timer.disarm();
    if (timers.delete(timer)) {
      timer.callback();
    }
  }

  function arm(timer: Timer): void {
    timer.disarm();
    timer.disarm = base.setTimer(() => fire(timer), Math.max(0, timer.atMs - now()));
  }

  const earliest = () =>
    [...timers].reduce<Timer | null>((first, timer) => (first && first.atMs <= timer.atMs ? first : timer), null);

  return {
    now,
    setTimer(callback, delayMs) {
      const timer: Timer = { atMs: now() + delayMs, callback, disarm: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.disarm();
      };
    },
    advance(byMs) {
      const untilMs = now() + byMs;
      for (let next = earliest(); next && next.atMs <= untilMs; next = earliest()) {
        aheadMs += Math.max(0, next.atMs - now());
        fire(next);
      }
      aheadMs += Math.max(0, untilMs - now());
      for (const timer of timers) {
        arm(timer);
      }
    },
  };
}
