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
/** Between looks: those that come up meanwhile become one. */
const LOOK_EVERY_MS = 20;

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

  /** Of `watched`, what is to be looked for next. */
  let due: number[] = [];
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  const watch = (sinceMs: number, looks: number): void => {
    const delayMs = FIRST_LOOK_MS * 2 ** looks;
    if (delayMs > pollMs) return;
    const known = watched[looks];
    watched[looks] = known === undefined ? sinceMs : Math.min(known, sinceMs);
    if (known === undefined) clock.setTimer(() => lookSoon(looks), delayMs);
  };

  const lookSoon = (looks: number): void => {
    due.push(looks);
    if (due.length > 1) return;
    const waitMs = lookedAtMs + LOOK_EVERY_MS - clock.now();
    if (waitMs > 0) clock.setTimer(lookNow, waitMs);
    else lookNow();
  };

  const lookNow = (): void => {
    const found = due.map((looks) => ({ looks, sinceMs: watched[looks] ?? clock.now() }));
    for (const { looks } of found) watched[looks] = undefined;
    due = [];
    lookedAtMs = clock.now();
    look(Math.min(...found.map(({ sinceMs }) => sinceMs)));
    for (const { looks, sinceMs } of found) watch(sinceMs, looks + 1);
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
