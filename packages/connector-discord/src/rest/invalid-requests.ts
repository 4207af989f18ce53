import type { Clock } from "@hookline/core";

/** Counts the answers for which Discord bans an address: 401, 403 and 429, but for a 429 of a shared limit. */
export interface InvalidRequests {
  add(): void;
  /** Null while there may be more; else when there may be again, in milliseconds from now. */
  stoppedForMs(): number | null;
}

const WINDOW_MS = 600_000;
const SLICE_MS = 10_000;

/** `limit` within any ten minutes. */
export function createInvalidRequests(clock: Clock, limit: number): InvalidRequests {
  const slices: { readonly endsAtMs: number; count: number }[] = [];
  let total = 0;

  const prune = (nowMs: number): void => {
    while (slices[0] !== undefined && slices[0].endsAtMs + WINDOW_MS <= nowMs) total -= slices.shift()?.count ?? 0;
  };

  return {
    add() {
      const nowMs = clock.now();
      prune(nowMs);
      const last = slices.at(-1);
      if (last === undefined || last.endsAtMs <= nowMs) slices.push({ endsAtMs: nowMs + SLICE_MS, count: 1 });
      else last.count += 1;
      total += 1;
    },
    stoppedForMs() {
      const nowMs = clock.now();
      prune(nowMs);
      if (total < limit) return null;
      let left = total;
      for (const { endsAtMs, count } of slices) {
        left -= count;
        if (left < limit) return endsAtMs + WINDOW_MS - nowMs;
      }
      return WINDOW_MS;
    },
  };
}
