import type { Clock } from "@hookline/core";

/** Has workers look for what transactions leave whose commit nobody here sees. */
export interface CommitWatch {
  /** Whether a transaction that publishes now is to notify with its commit. */
  mayNotify(): boolean;
  /** Looks for what a transaction that does not notify published at that time. */
  watch(publishedAtMs: number): void;
}

/** Between notifications by commits of this process. */
const NOTIFY_EVERY_MS = 5;
/** The first look, each later one after twice the time. */
const FIRST_LOOK_MS = 4;

/**
 * Postgres lets only one transaction with a notification commit at a time, each with its own write to disk; and those
 * that run at the same time would tell workers nothing new. So one of them notifies, and for the others somebody looks
 * soon after the publication, and again ever more seldom until the poll takes over.
 */
export function createCommitWatch(options: {
  readonly clock: Clock;
  readonly pollMs: number;
  /** Has a worker look at what has been due since then. */
  readonly look: (sinceMs: number) => void;
}): CommitWatch {
  const { clock, pollMs, look } = options;
  /** By how often they were looked for: since when. */
  const watched: (number | undefined)[] = [];
  let notifiedAtMs = Number.NEGATIVE_INFINITY;

  const watch = (sinceMs: number, looks: number): void => {
    const delayMs = FIRST_LOOK_MS * 2 ** looks;
    if (delayMs > pollMs) return;
    const known = watched[looks];
    watched[looks] = known === undefined ? sinceMs : Math.min(known, sinceMs);
    if (known !== undefined) return;
    clock.setTimer(() => {
      const earliestMs = watched[looks] ?? sinceMs;
      watched[looks] = undefined;
      look(earliestMs);
      watch(earliestMs, looks + 1);
    }, delayMs);
  };

  return {
    mayNotify() {
      const nowMs = clock.now();
      if (Math.abs(nowMs - notifiedAtMs) < NOTIFY_EVERY_MS) return false;
      notifiedAtMs = nowMs;
      return true;
    },
    watch: (publishedAtMs) => watch(publishedAtMs, 0),
  };
}
