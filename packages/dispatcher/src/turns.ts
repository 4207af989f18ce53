import type { Clock, Logger, SqlQuery } from "@hookline/core";
import { type Batches, createBatches } from "./batches.js";
import { isoTime } from "./sql/columns.js";
import type { PassedTurn } from "./sql/pass-turns.js";
import type { Statements } from "./sql/statements.js";

/** Who is next within an ordering key. */
export interface Turns extends Omit<Batches<PassedTurn>, "add" | "unwrittenSinceMs"> {
  /** An attempt of the key was made and is written down. */
  pass(turn: PassedTurn): void;
  /** Goes on with the next keys, and has those delivered that nobody passed the turn to. */
  sweep(): Promise<void>;
}

/** Keys looked at in one sweep: some 10 µs each. */
const KEYS_A_SWEEP = 2_000;

export function createTurns(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A delivery came in line. */
  readonly onTurn: () => void;
}): Turns {
  const { query, statements, clock, logger } = options;
  let after = { endpointId: "", orderingKey: "" };

  const write = async (turns: readonly PassedTurn[]): Promise<void> => {
    const next = await statements.passTurns(query, turns, isoTime(clock.now()));
    if (next.length > 0) options.onTurn();
  };
  const passed = createBatches<PassedTurn>({ what: "turns", clock, logger, write });

  return {
    pass: passed.add,
    flush: passed.flush,
    end: passed.end,
    get pending() {
      return passed.pending;
    },
    async sweep() {
      const limits = { now: isoTime(clock.now()), limit: KEYS_A_SWEEP };
      const seen = await statements.findStuckTurns(query, after, limits);
      const last = seen.at(-1);
      after =
        last === undefined
          ? { endpointId: "", orderingKey: "" }
          : { endpointId: last.endpoint_id, orderingKey: last.ordering_key };
      const stuck = seen.filter((row) => row.stuck);
      if (stuck.length === 0) return;
      await write(stuck.map((row) => ({ endpointId: row.endpoint_id, orderingKey: row.ordering_key, ended: true })));
    },
  };
}
