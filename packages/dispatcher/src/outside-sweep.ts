import type { Clock, SqlQuery } from "@hookline/core";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";

/** Endpoints that one sweep looks at; the next one goes on behind them. */
const ENDPOINTS_A_SWEEP = 1_000;

/** Endpoints with deliveries outside the line. */
export interface OutsideSweep {
  /** Nothing keeps their deliveries there. */
  readonly due: readonly string[];
  /** They were deleted. */
  readonly gone: readonly string[];
}

/** Answers the endpoints that there is something to do for, in as many calls as it takes, then anew. */
export function createOutsideSweep(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly limit?: number;
}): () => Promise<OutsideSweep> {
  const { query, statements, clock, limit = ENDPOINTS_A_SWEEP } = options;
  let after = "";
  return async () => {
    const outside = await statements.findSetAside(query, { now: isoTime(clock.now()), after, limit });
    after = outside.length === limit ? (outside.at(-1)?.id ?? "") : "";
    return {
      due: outside.filter(({ due }) => due).map(({ id }) => id),
      gone: outside.filter(({ gone }) => gone).map(({ id }) => id),
    };
  };
}
