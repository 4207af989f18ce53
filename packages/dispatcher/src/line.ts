import type { Clock, SqlQuery } from "@hookline/core";
import type { Claim, ClaimParams } from "./sql/claim-deliveries.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";

/** The deliveries in line, read from where the last look ended: what has been claimed before is not passed again. */
export interface Line {
  claim(params: ClaimParams & { readonly nowMs: number }): Promise<Claim>;
  /** When something is due, if that is within `withinMs`. */
  nextDueMs(withinMs: number): Promise<number | null>;
  /** The next claim looks at what has been due since then, too. Without a time: at everything. */
  lookBack(toMs?: number): void;
}

/** A publication of this process commits that much after it was stamped, and clocks of the others differ so much. */
const LATE_MS = 250;
/** How far every look back goes that comes once in a poll interval. */
const VERY_LATE_MS = 10_000;

/**
 * Index entries of finished deliveries stay until they are vacuumed, in front of those that are due. So a claim begins
 * where the one before it ended. What comes in behind that (of a long transaction, a slow clock, a claim that was
 * rolled back) is found since its commit says how far to look back; else by a longer look once in `pollMs`, and at
 * the latest by a look at everything once in `sweepMs`.
 */
export function createLine(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly sweepMs: number;
}): Line {
  const { query, statements, clock } = options;
  let readToMs = Number.NEGATIVE_INFINITY;
  let lookBackToMs = Number.POSITIVE_INFINITY;
  let longLookAtMs = Number.NEGATIVE_INFINITY;
  let fullLookAtMs = Number.NEGATIVE_INFINITY;

  const isOver = (sinceMs: number, intervalMs: number): boolean => Math.abs(clock.now() - sinceMs) >= intervalMs;

  const beginMs = (): number => {
    const nowMs = clock.now();
    const askedMs = lookBackToMs;
    lookBackToMs = Number.POSITIVE_INFINITY;
    if (isOver(fullLookAtMs, options.sweepMs)) {
      fullLookAtMs = nowMs;
      longLookAtMs = nowMs;
      return Number.NEGATIVE_INFINITY;
    }
    if (!isOver(longLookAtMs, options.pollMs)) return Math.min(askedMs, readToMs, nowMs - LATE_MS);
    longLookAtMs = nowMs;
    return Math.min(askedMs, readToMs, nowMs - VERY_LATE_MS);
  };

  return {
    async claim({ nowMs, ...params }) {
      const fromMs = beginMs();
      try {
        const claim = await statements.claimDeliveries(query, { ...params, from: boundOf(fromMs) });
        readToMs = claim.chosen < params.limit ? nowMs - LATE_MS : (claim.chosenToMs ?? fromMs);
        return claim;
      } catch (error) {
        lookBackToMs = Math.min(lookBackToMs, fromMs);
        throw error;
      }
    },
    async nextDueMs(withinMs) {
      const fromMs = Math.min(readToMs, lookBackToMs);
      const [next] = await statements.nextDue(query, boundOf(fromMs), isoTime(clock.now() + withinMs));
      return next?.next_at.getTime() ?? null;
    },
    lookBack(toMs = Number.NEGATIVE_INFINITY) {
      lookBackToMs = Math.min(lookBackToMs, toMs);
    },
  };
}

function boundOf(ms: number): string {
  return Number.isFinite(ms) ? isoTime(ms) : "-infinity";
}
