import type { Reception } from "./chaos-receiver.js";

/** What came in another order than it was published in. */
export interface Disorder {
  /** Accepted for the first time after something later of its key. */
  readonly inversions: readonly number[];
  /** Sent once more after something later of its key, having been accepted before. */
  readonly lateRepeats: readonly number[];
}

/** A key's events are published one after another by growing numbers. */
export function findDisorder(receptions: readonly Reception[]): Disorder {
  const latest = new Map<string, number>();
  const accepted = new Set<number>();
  const inversions: number[] = [];
  const lateRepeats: number[] = [];
  for (const { n, orderingKey, isAccepted } of receptions) {
    if (orderingKey === null) continue;
    if (n < (latest.get(orderingKey) ?? 0)) (accepted.has(n) ? lateRepeats : inversions).push(n);
    if (!isAccepted) continue;
    accepted.add(n);
    latest.set(orderingKey, Math.max(n, latest.get(orderingKey) ?? 0));
  }
  return { inversions, lateRepeats };
}
