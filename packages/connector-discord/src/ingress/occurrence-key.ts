import { createHash } from "node:crypto";

/**
 * The idempotency key of one occurrence: the same for the same parts. It outlives the erasure of whoever it is about, so
 * it names nobody.
 */
export function occurrenceKey(type: string, ...parts: readonly string[]): string {
  return `${type}:${createHash("sha256").update(JSON.stringify(parts)).digest("base64url")}`;
}
