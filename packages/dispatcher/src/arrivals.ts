import type { Job } from "./job.js";

/** Jobs that were handed over and have not begun. */
export interface Arrivals {
  add(jobs: readonly Job[]): void;
  /** Takes them in now. */
  flush(): void;
  readonly size: number;
}

/**
 * Takes jobs in two turns of the event loop after they came. To begin many requests takes milliseconds: in the turn
 * before, those who published go on, and what they publish next goes out to the database, which works meanwhile. One by
 * itself is taken in at once.
 */
export function createArrivals(take: (jobs: readonly Job[]) => void): Arrivals {
  let arrived: Job[] = [];
  let isScheduled = false;

  const flush = (): void => {
    const jobs = arrived;
    arrived = [];
    if (jobs.length > 0) take(jobs);
  };
  const turn = (): void => {
    isScheduled = false;
    flush();
  };

  return {
    add(jobs) {
      if (jobs.length === 1 && arrived.length === 0) {
        take(jobs);
        return;
      }
      for (const job of jobs) arrived.push(job);
      if (isScheduled || arrived.length === 0) return;
      isScheduled = true;
      setImmediate(() => setImmediate(turn));
    },
    flush,
    get size() {
      return arrived.length;
    },
  };
}
