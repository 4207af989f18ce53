export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after the `failures`-th failure in a row (1 for the first): doubling, between half and all of it at
 * random, so that lanes that failed together don't come back together.
 */
export function backoffDelayMs(failures: number, bounds: BackoffBounds, random: () => number): number {
  const full = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
