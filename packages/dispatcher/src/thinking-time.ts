/** How long tenants hold the process up: conditions and templates run in it, and nothing else does meanwhile. */
export interface ThinkingTime {
  /** Does synchronous work on behalf of a tenant. */
  timed<T>(tenantId: string, work: () => T): T;
  /** For how long the tenant has to let others go first; 0 for nearly all. */
  waitMs(tenantId: string): number;
}

interface Spent {
  /** Beyond what has been given back since. */
  ms: number;
  atMs: number;
}

/** What takes no longer counts for nothing: an ordinary template needs less than one. */
const FREE_MS = 5;
const BURST_MS = 1_000;
/** Given back of each millisecond that passes. */
const SHARE = 0.1;
const MAX_TENANTS = 1_000;

/** A tenant may take a second at once, and a tenth of the time in the long run, with what takes longer than 5 ms. */
export function createThinkingTime(now: () => number = () => performance.now()): ThinkingTime {
  const tenants = new Map<string, Spent>();

  const leftOf = ({ ms, atMs }: Spent, nowMs: number): number => Math.max(0, ms - (nowMs - atMs) * SHARE);

  const spend = (tenantId: string, ms: number, nowMs: number): void => {
    const known = tenants.get(tenantId);
    tenants.delete(tenantId);
    tenants.set(tenantId, { ms: ms + (known === undefined ? 0 : leftOf(known, nowMs)), atMs: nowMs });
    // Whoever spent nothing for longest.
    const oldest = tenants.size > MAX_TENANTS ? tenants.keys().next().value : undefined;
    if (oldest !== undefined) tenants.delete(oldest);
  };

  return {
    timed(tenantId, work) {
      const startedAtMs = now();
      try {
        return work();
      } finally {
        const endedAtMs = now();
        if (endedAtMs - startedAtMs > FREE_MS) spend(tenantId, endedAtMs - startedAtMs, endedAtMs);
      }
    },
    waitMs(tenantId) {
      const known = tenants.get(tenantId);
      if (known === undefined) return 0;
      const left = leftOf(known, now());
      if (left === 0) tenants.delete(tenantId);
      return Math.max(0, Math.ceil((left - BURST_MS) / SHARE));
    },
  };
}
