import { isDatabaseError } from "../errors.js";
import { createStatementNames } from "../statement-names.js";

/** Under which names statements are kept prepared. */
export interface PreparedNames {
  nameOf(text: string): string | undefined;
  /** Gives names up for good where the error says that a pooler hands connections around; whether it did so now. */
  heed(error: unknown): boolean;
}

export function createPreparedNames(prepare = true): PreparedNames {
  let nameOf = prepare ? createStatementNames() : null;
  return {
    nameOf: (text) => nameOf?.(text),
    heed(error) {
      if (nameOf === null || !isMixedUp(error)) return false;
      nameOf = null;
      return true;
    },
  };
}

/** 26000: the connection does not have a statement that was prepared on it. 42P05: it has one that was not. */
export function isMixedUp(error: unknown): boolean {
  return isDatabaseError(error) && (error.sqlState === "26000" || error.sqlState === "42P05");
}
