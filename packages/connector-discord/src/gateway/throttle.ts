import type { Clock } from "@hookline/core";

const EVERY_MS = 10_000;

/**
 * For log lines that repeat with each retry of each lane: writes one per kind and ten seconds, and says how many were
 * left out since.
 */
export function createThrottle(clock: Clock): (kind: string, write: (omitted: number) => void) => void {
  const kinds = new Map<string, { atMs: number; omitted: number }>();
  return (kind, write) => {
    const last = kinds.get(kind);
    const now = clock.now();
    if (last && now - last.atMs < EVERY_MS) {
      last.omitted += 1;
      return;
    }
    kinds.set(kind, { atMs: now, omitted: 0 });
    write(last?.omitted ?? 0);
  };
}
