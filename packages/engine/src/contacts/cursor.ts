import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";

/** The place after an id, in a form that nobody is tempted to build by hand. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString("base64url");
}

/** @throws EngineError `invalid_cursor` */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, "base64url").toString();
  if (!/^[a-z]+_[a-z0-9]+$/.test(id)) throw new EngineError("invalid_cursor", "This cursor was not made by this API.");
  return id;
}

/** A page's size within its bounds. */
export function pageLimit(limit: number | undefined): number {
  return Math.min(Math.max(Math.trunc(limit ?? DEFAULTS.pageLimit), 1), DEFAULTS.maxPageLimit);
}
