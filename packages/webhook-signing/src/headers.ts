import { WebhookVerificationError } from "./errors.js";

/** Headers of a request: `Headers`, Node's `request.headers`, or any record, in whatever case. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The one value of a header.
 *
 * @throws WebhookVerificationError `missing_header` or `duplicate_header`
 */
export function readHeader(headers: WebhookHeaders, name: string): string {
  const value = findHeader(headers, name);
  if (typeof value === "string" && value !== "") return value;
  if (Array.isArray(value) && value.length > 1) throw duplicate(name);
  if (Array.isArray(value) && typeof value[0] === "string" && value[0] !== "") return value[0];
  throw new WebhookVerificationError("missing_header", `The header ${name} is missing.`);
}

/** Whether a header is there at all, in whatever form. */
export function hasHeader(headers: WebhookHeaders, name: string): boolean {
  const value = findHeader(headers, name);
  return value !== undefined && value !== null;
}

function findHeader(headers: WebhookHeaders, name: string): unknown {
  if (typeof headers?.get === "function") return headers.get(name);
  const record = (headers ?? {}) as Readonly<Record<string, unknown>>;
  // Node hands headers over in lower case; only others pay for the search.
  if (record[name] !== undefined) return record[name];
  const spellings = Object.keys(record).filter((key) => key.toLowerCase() === name && record[key] !== undefined);
  if (spellings.length > 1) throw duplicate(name);
  return spellings[0] === undefined ? undefined : record[spellings[0]];
}

function duplicate(name: string): WebhookVerificationError {
  return new WebhookVerificationError("duplicate_header", `The header ${name} came more than once.`);
}
