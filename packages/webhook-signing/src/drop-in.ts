import type { WebhookBody } from "./body.js";
import type { WebhookHeaders } from "./headers.js";
import { standardWebhooks, svix } from "./schemes.js";
import { sign } from "./sign.js";
import { verifyAny } from "./verify-any.js";

export { WebhookVerificationError } from "./errors.js";

/** As in the libraries that this stands for. */
export interface WebhookOptions {
  /** The secret is the key itself, as bytes or as one character for each byte, and not base64. */
  readonly format?: "raw";
}

/**
 * The face of `Webhook` of the libraries standardwebhooks and svix, on top of `sign` and `verify`: to migrate, change
 * the import. A class, because their users write `new Webhook(secret)`. docs/migrating-from-svix.md says what differs.
 *
 * @example
 * import { Webhook } from "@hookline/webhook-signing/drop-in";
 * const payload = new Webhook(secret).verify(rawBody, request.headers);
 */
export class Webhook {
  readonly #secrets: readonly string[];

  /** A secret that will not do throws a WebhookSecretError in `sign` and `verify`. */
  constructor(secret: string | Uint8Array, { format }: WebhookOptions = {}) {
    const raw = typeof secret === "string" ? Buffer.from(secret, "latin1") : Buffer.from(secret);
    this.#secrets = [format === "raw" || typeof secret !== "string" ? `whsec_${raw.toString("base64")}` : secret];
  }

  /** The signature header's value: `v1,` and base64. */
  sign(id: string, date: Date, payload: WebhookBody): string {
    const timestamp = Math.floor(date.getTime() / 1000);
    const headers = sign(payload, { scheme: standardWebhooks, secrets: this.#secrets, id, timestamp });
    return headers["webhook-signature"] as string;
  }

  /**
   * The parsed body of a request that carries `webhook-*` or `svix-*` headers; undefined when it is empty or is not to
   * be parsed.
   *
   * @throws WebhookVerificationError for whatever is wrong with the request, `invalid_json` included
   */
  verify(payload: WebhookBody, headers: WebhookHeaders, { jsonParse = true }: { jsonParse?: boolean } = {}): unknown {
    const secrets = this.#secrets;
    const ways = [
      { scheme: svix, secrets },
      { scheme: standardWebhooks, secrets },
    ];
    const { json, body } = verifyAny(payload, headers, ways);
    return jsonParse && body.length > 0 ? json() : undefined;
  }
}
