import type { Clock, SqlQuery } from "@hookline/core";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";
import { ORPHANS_A_STEP } from "./sql/unhold-orphans.js";

/** What is held for endpoints that are gone. */
export interface GoneRelease {
  /** Puts some of it in line, where it ends as dead; the rest follows by and by. */
  release(endpointIds: readonly string[]): Promise<void>;
  end(): void;
}

/** Between two steps: whatever else is in line gets its turn. */
const PAUSE_MS = 1_000;

export function createGoneRelease(options: {
  readonly query: SqlQuery;
  readonly statements: Pick<Statements, "unholdOrphans">;
  readonly clock: Clock;
  /** Runs a later step. */
  readonly inBackground: (work: Promise<void>) => void;
  /** Deliveries came into the line. */
  readonly onReleased: () => void;
}): GoneRelease {
  const { query, statements, clock, inBackground, onReleased } = options;
  let left: readonly string[] = [];
  let cancelTimer: () => void = () => {};
  let isEnded = false;

  const step = async (): Promise<void> => {
    const ids = left;
    left = [];
    if (ids.length === 0 || isEnded) return;
    const released = await statements.unholdOrphans(query, ids, isoTime(clock.now()));
    if (released.length > 0) onReleased();
    if (released.length < ORPHANS_A_STEP || isEnded) return;
    left = [...new Set([...ids, ...left])];
    cancelTimer();
    cancelTimer = clock.setTimer(() => inBackground(step()), PAUSE_MS);
  };

  return {
    async release(endpointIds) {
      // What is under way already goes on at its own pace.
      if (left.length > 0 || endpointIds.length === 0) return;
      left = endpointIds;
      await step();
    },
    end() {
      isEnded = true;
      cancelTimer();
    },
  };
}
