import type { EndpointPolicy } from "../../src/index.js";
import type { Reception } from "./chaos-receiver.js";

/** What came in another order than it was published in. */
export interface Disorder {
  /**
   * Under `block`: accepted for the first time after something later of its key. Under `skip`: something later of its key
   * was sent before it had been tried.
   */
  readonly inversions: readonly number[];
  /** Sent once more after something later of its key, having been accepted before. */
  readonly lateRepeats: readonly number[];
}

/** The order that an endpoint keeps. */
export interface Order {
  readonly policy: NonNullable<EndpointPolicy["ordering"]>;
  /** Tried by an attempt that is recorded without an answer: it may not have reached the receiver. */
  readonly unanswered: ReadonlySet<number>;
}

/** A key's events are published one after another by growing numbers. */
export function findDisorder(receptions: readonly Reception[], { policy, unanswered }: Order): Disorder {
  /** The last one of each key before which all others have to have come. */
  const latest = new Map<string, number>();
  const received = new Set<number>();
  const accepted = new Set<number>();
  const inversions: number[] = [];
  const lateRepeats: number[] = [];
  for (const { n, orderingKey, isAccepted } of receptions) {
    if (orderingKey === null) continue;
    const last = latest.get(orderingKey) ?? 0;
    const isTried = received.has(n) || unanswered.has(n);
    if (n < last && accepted.has(n)) lateRepeats.push(n);
    else if (n < last && (policy === "block" || !isTried)) inversions.push(n);
    received.add(n);
    if (isAccepted) accepted.add(n);
    if (isAccepted || policy === "skip") latest.set(orderingKey, Math.max(n, last));
  }
  return { inversions, lateRepeats };
}
