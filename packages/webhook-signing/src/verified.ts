import type { WebhookBody } from "./body.js";
import { WebhookVerificationError } from "./errors.js";
import type { Received } from "./received.js";

/** A message whose signature was checked. */
export interface VerifiedWebhook<Body extends WebhookBody = WebhookBody> {
  /** The message's id, where the scheme signs one. */
  readonly id?: string | undefined;
  /** When it was signed, in unix seconds, where the scheme says so. */
  readonly timestamp?: number | undefined;
  /** As it was given. */
  readonly body: Body;
  /**
   * Parses the body, at each call.
   *
   * @throws WebhookVerificationError `invalid_json`
   */
  json<Data = unknown>(): Data;
}

export function toVerified<Body extends WebhookBody>(received: Received, body: Body): VerifiedWebhook<Body> {
  return { id: received.id, timestamp: received.timestamp, body, json: () => parseJson(body) };
}

function parseJson<Data>(body: WebhookBody): Data {
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new WebhookVerificationError("invalid_json", "The body is not JSON.", { cause });
  }
}

/** What every verify ends with when nothing fitted. */
export function mismatch(header: string, looked: boolean): WebhookVerificationError {
  return looked
    ? new WebhookVerificationError("signature_mismatch", `No signature in ${header} fits.`)
    : new WebhookVerificationError(
        "unknown_signature",
        `No signature in ${header} is of a kind that the secrets check.`,
      );
}
