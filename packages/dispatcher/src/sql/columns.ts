/** What cells of a packed column are separated by. */
const SEPARATOR = "\u001e";

/** Without what a text column or a packed one cannot hold. */
export function plainText(text: string): string {
  return text.replaceAll("\u0000", "\ufffd").replaceAll(SEPARATOR, "\ufffd");
}

/** {@link isoTime} for what comes in the order of time: many of the same millisecond. */
export function createIsoTime(): (ms: number) => string {
  let lastMs = Number.NaN;
  let last = "";
  return (ms) => {
    if (ms !== lastMs) {
      last = isoTime(ms);
      lastMs = ms;
    }
    return last;
  };
}

/** ISO 8601 with milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The times that Postgres reads as {@link isoTime} writes them: the years 1 to 9999. */
export const FIRST_STORED_MS = Date.parse("0001-01-01T00:00:00.000Z");
export const LAST_STORED_MS = Date.parse("9999-12-31T23:59:59.999Z");
