import { DispatcherError } from "./errors.js";
import { invalidQuery } from "./query-input.js";
import { isoTime } from "./sql/columns.js";

const MAX_LIMIT = 200;
const DEFAULT_LIMIT = 50;

/** 1 to 200; 50 when absent. */
export function pageLimit(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidQuery("limit", `is a whole number from 1 to ${MAX_LIMIT}`);
}

/** A place in a list, opaque to its reader. */
export function writeCursor(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** What the parts of a place may be: what this dispatcher stored under such a name, and nothing that Postgres cannot read. */
const IS_PART = {
  id: (text: string) => /^[A-Za-z0-9_-]{1,128}$/.test(text),
  time: (text: string) => /^(?!0000)\d{4}-/.test(text) && isIsoTime(text),
} as const satisfies Record<string, (text: string) => boolean>;

/** @throws DispatcherError `invalid_cursor` */
export function readCursor(cursor: string, parts: readonly (keyof typeof IS_PART)[]): readonly string[] {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch (cause) {
    throw new DispatcherError("invalid_cursor", "The cursor cannot be read.", { cause });
  }
  if (Array.isArray(place) && place.length === parts.length) {
    const texts = place.filter((text): text is string => typeof text === "string");
    if (texts.length === parts.length && parts.every((part, index) => IS_PART[part](texts[index] ?? ""))) return texts;
  }
  throw new DispatcherError("invalid_cursor", "The cursor is not one of this list.");
}

function isIsoTime(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && isoTime(ms) === text;
}

/** One page out of one row more than it may hold. */
export function toPage<Row>(rows: readonly Row[], limit: number, placeOf: (row: Row) => readonly string[]) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last !== undefined ? writeCursor(placeOf(last)) : null };
}
