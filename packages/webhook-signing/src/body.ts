/** A body exactly as it came or will go: text, or bytes in any encoding. */
export type WebhookBody = string | Uint8Array;

/** @throws TypeError for anything else, such as what a body parser leaves */
export function checkBody(body: unknown): void {
  if (typeof body === "string" || body instanceof Uint8Array) return;
  throw new TypeError(
    "The body must be the raw string or bytes. A body parser (such as express.json()) that ran before has used them up.",
  );
}
