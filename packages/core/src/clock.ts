/** Where a factory takes the time from, so that a test can make 75 hours pass at once. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back after `delayMs`, never before `now` has moved on by it; the answer cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** What a timer of Node's may be early by, against `Date.now()`: both are cut to whole milliseconds, at different times. */
const EARLY_MS = 2;

/** The machine's own time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(callback, delayMs) {
    const dueMs = Date.now() + delayMs;
    const fire = (): void => {
      const leftMs = dueMs - Date.now();
      // More than that, and the machine's clock was turned back.
      if (leftMs > 0 && leftMs <= EARLY_MS) arm(leftMs);
      else callback();
    };
    let timer: NodeJS.Timeout;
    const arm = (ms: number): void => {
      timer = setTimeout(fire, ms);
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
