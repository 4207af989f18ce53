import { DispatcherError } from "./errors.js";

const MAX_LIMIT = 200;
const DEFAULT_LIMIT = 50;

/** 1 to 200; 50 when absent. */
export function pageLimit(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new DispatcherError("invalid_query", `limit is a whole number from 1 to ${MAX_LIMIT}.`, {
    issues: [{ path: "limit", message: `is a whole number from 1 to ${MAX_LIMIT}` }],
  });
}

/** A place in a list, opaque to its reader. */
export function writeCursor(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

export function readCursor(cursor: string, length: number): readonly string[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (
      Array.isArray(place) &&
      place.length === length &&
      place.every((part) => typeof part === "string" && part !== "")
    ) {
      return place;
    }
  } catch (cause) {
    throw new DispatcherError("invalid_cursor", "The cursor cannot be read.", { cause });
  }
  throw new DispatcherError("invalid_cursor", "The cursor is not one of this list.");
}

/** One page out of one row more than it may hold. */
export function toPage<Row>(rows: readonly Row[], limit: number, placeOf: (row: Row) => readonly string[]) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last !== undefined ? writeCursor(placeOf(last)) : null };
}
