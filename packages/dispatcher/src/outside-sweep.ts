import type { Clock, SqlQuery } from "@hookline/core";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";

/** Endpoints that one sweep looks at; the next one goes on behind them. */
const ENDPOINTS_A_SWEEP = 1_000;

/** Answers the endpoints whose deliveries nothing keeps outside the line, in as many calls as it takes, then anew. */
export function createOutsideSweep(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly limit?: number;
}): () => Promise<readonly string[]> {
  const { query, statements, clock, limit = ENDPOINTS_A_SWEEP } = options;
  let after = "";
  return async () => {
    const outside = await statements.findSetAside(query, { now: isoTime(clock.now()), after, limit });
    after = outside.length === limit ? (outside.at(-1)?.id ?? "") : "";
    return outside.filter(({ due }) => due).map(({ id }) => id);
  };
}
