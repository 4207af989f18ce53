import { DEFAULTS } from "../defaults.js";

/** Deadlock, serialisation failure, unique violation: the same work, done again, can succeed. */
const CONFLICTS = new Set(["40P01", "40001", "23505"]);

/** Runs work that opens its own transaction, and again when it lost against a concurrent one. */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries >= DEFAULTS.conflictTries || !isConflict(error)) throw error;
    }
  }
}

/** Whether Postgres refused a value because another row has it. */
export function isUniqueViolation(error: unknown): boolean {
  return hasState(error, (state) => state === "23505");
}

function isConflict(error: unknown): boolean {
  return hasState(error, (state) => CONFLICTS.has(state));
}

function hasState(error: unknown, fits: (sqlState: string) => boolean): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("sqlState" in cause && typeof cause.sqlState === "string" && fits(cause.sqlState)) return true;
  }
  return false;
}
