import type { Clock, Logger } from "@hookline/core";

export interface Batches<Item> {
  /** @param mayWait for others to be written with, if the last write began a moment ago */
  add(item: Item, mayWait?: boolean): void;
  /** Resolves when everything that was added is written, or `signal` ends the waiting. */
  flush(signal: AbortSignal): Promise<void>;
  /** From now on a failed write is given up. */
  end(): void;
  /** Added and not yet written. */
  readonly pending: number;
  /** When the write began that has not succeeded yet, at its first try; null when there is none. */
  readonly unwrittenSinceMs: number | null;
}

const MAX_ITEMS = 500;
const RETRY_MS = 500;
/** Between the beginnings of two writes of what may wait: a statement costs as much as what some fifty rows add to it. */
const GATHER_MS = 12;
/** So many wait no longer. */
const ENOUGH_ITEMS = 128;

/**
 * Gathers what comes up within one turn of the event loop into one write, with one write at a time; what may wait is
 * gathered for some milliseconds while much comes up. A failed write is tried again until it succeeds: its items are
 * facts that happened. After `end` it is given up: leases run out by themselves.
 */
export function createBatches<Item>(options: {
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** What happens to items that are given up. */
  readonly onGivenUp?: (items: readonly Item[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the log. */
  readonly what: string;
}): Batches<Item> {
  let items: Item[] = [];
  let writing = 0;
  let busy = false;
  let unwrittenSinceMs: number | null = null;
  let ended = false;
  let scheduled = false;
  let isUrgent = false;
  let gathering: NodeJS.Timeout | null = null;
  let beganAtMs = Number.NEGATIVE_INFINITY;
  let waiters: (() => void)[] = [];

  const schedule = (): void => {
    if (scheduled || busy) return;
    const gatherMs = beganAtMs + GATHER_MS - performance.now();
    if (gatherMs > 0 && !isUrgent && items.length < ENOUGH_ITEMS) {
      gathering ??= setTimeout(hurry, gatherMs);
      return;
    }
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    scheduled = true;
    setImmediate(run);
  };

  const hurry = (): void => {
    isUrgent = true;
    schedule();
  };

  const settle = (): void => {
    if (items.length > 0) {
      schedule();
      return;
    }
    const idle = waiters;
    waiters = [];
    for (const resolve of idle) resolve();
  };

  const run = (): void => {
    scheduled = false;
    isUrgent = false;
    beganAtMs = performance.now();
    const batch = items.slice(0, MAX_ITEMS);
    items = items.slice(MAX_ITEMS);
    if (batch.length === 0) {
      settle();
      return;
    }
    writing = batch.length;
    busy = true;
    unwrittenSinceMs ??= options.clock.now();
    options.write(batch).then(
      () => {
        writing = 0;
        unwrittenSinceMs = null;
        busy = false;
        settle();
      },
      (error: unknown) => {
        const next = ended ? "given up" : "trying again";
        options.logger.error({ err: error, count: batch.length }, `${options.what} could not be written; ${next}`);
        if (ended) {
          options.onGivenUp?.(batch);
          unwrittenSinceMs = null;
          writing = 0;
          busy = false;
          settle();
          return;
        }
        items = [...batch, ...items];
        isUrgent = true;
        writing = 0;
        options.clock.setTimer(() => {
          busy = false;
          schedule();
        }, RETRY_MS);
      },
    );
  };

  return {
    add(item, mayWait = false) {
      items.push(item);
      isUrgent ||= !mayWait;
      schedule();
    },
    flush(signal) {
      if (items.length === 0 && writing === 0) return Promise.resolve();
      hurry();
      return new Promise((resolve) => {
        waiters.push(resolve);
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
    end() {
      ended = true;
    },
    get unwrittenSinceMs() {
      return unwrittenSinceMs;
    },
    get pending() {
      return items.length + writing;
    },
  };
}
