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
/** Shorter values hold no secret, and would black out what only looks like them. */
const MIN_CHARACTERS = 8;

/** Request headers for the attempt log, as JSON text: names are kept, values only where they cannot be a secret. */
export function redactHeaders(headers: Readonly<Record<string, string>>): string {
  const shown: Record<string, string> = {};
  for (const name in headers) shown[name] = SHOWN.has(name) ? (headers[name] ?? "") : BLACKED_OUT;
  return JSON.stringify(shown);
}

/** What was sent that must not be shown. */
export interface SentTexts {
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly url: string;
}

/** A response for the attempt log: cut, and without what of the request the receiver sent back. */
export function redactResponse(body: string, sent: SentTexts, maxCharacters: number): string | null {
  if (body === "") return null;
  const text = redactText(body, sent);
  return plainText(text.length > maxCharacters ? text.slice(0, maxCharacters) : text);
}

/** A text without secrets, headers and path of the request. */
export function redactText(text: string, sent: SentTexts): string {
  let redacted = text;
  for (const secret of [...sent.secrets, ...textsOf(new URL(sent.url))]) {
    if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, BLACKED_OUT);
  }
  for (const name in sent.headers) {
    const value = sent.headers[name] ?? "";
    if (!SHOWN.has(name) && value.length >= MIN_CHARACTERS && redacted.includes(value))
      redacted = redacted.replaceAll(value, BLACKED_OUT);
  }
  return redacted;
}

/** What of a URL may hold a token, longest first: a path as it is and as some write it in JSON, and values of the query. */
function textsOf({ pathname, search, searchParams }: URL): readonly string[] {
  const paths = [pathname + search, pathname].filter((path) => path.length > 1);
  const values = search.split(/[?&]/).map((field) => field.slice(field.indexOf("=") + 1));
  return [
    ...paths.flatMap((path) => [path, path.replaceAll("/", "\\/")]),
    ...[...values, ...searchParams.values()].filter((value) => value.length >= MIN_CHARACTERS),
  ];
}
