import { plainText } from "./sql/columns.js";

const SHOWN: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "user-agent",
  "webhook-id",
  "webhook-timestamp",
  "svix-id",
  "svix-timestamp",
  "x-webhook-event",
  "x-xtsystems-timestamp",
  "x-erxes-timestamp",
]);

const BLACKED_OUT = "[redacted]";

/** Request headers for the attempt log, as JSON text: names are kept, values only where they cannot be a secret. */
export function redactHeaders(headers: Readonly<Record<string, string>>): string {
  const shown: Record<string, string> = {};
  for (const name in headers) shown[name] = SHOWN.has(name) ? (headers[name] ?? "") : BLACKED_OUT;
  return JSON.stringify(shown);
}

/** A response for the attempt log: cut, and without any secret or header value that the receiver sent back. */
export function redactResponse(
  body: string,
  limits: {
    readonly maxCharacters: number;
    readonly secrets: readonly string[];
    readonly headers: Readonly<Record<string, string>>;
  },
): string | null {
  if (body === "") return null;
  let text = body;
  for (const secret of limits.secrets) {
    if (text.includes(secret)) text = text.replaceAll(secret, BLACKED_OUT);
  }
  for (const name in limits.headers) {
    const value = limits.headers[name] ?? "";
    if (!SHOWN.has(name) && value.length >= 8 && text.includes(value)) text = text.replaceAll(value, BLACKED_OUT);
  }
  return plainText(text.length > limits.maxCharacters ? text.slice(0, limits.maxCharacters) : text);
}
