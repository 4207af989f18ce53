/** Where a factory takes the time from, so that a test can make 75 hours pass at once. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back after `delayMs`; the answer cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** The machine's own time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
