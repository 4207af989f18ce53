import { newId } from "@hookline/core";
import { signedRequest as requestOf, USER_AGENT } from "../destinations/webhook.js";
import { writePayload } from "../destinations/webhook-payload.js";
import type { WebhookTarget } from "../destinations/webhook-target.js";

/** What is sent, and to whom. */
export interface SignedRequestOptions extends Pick<WebhookTarget, "scheme" | "profile" | "headers"> {
  /** Such as `ticket.created`. */
  readonly type: string;
  readonly data: unknown;
  /** That the receiver verifies with. */
  readonly secret: string;
  /** Default `http://127.0.0.1/webhooks`. */
  readonly url?: string;
  /** Of the event. A new one when absent; the same one again makes a second attempt. */
  readonly id?: string;
  /** Of the event, as the profile `xtsystems` shows it. Default `tenant`. */
  readonly tenantId?: string;
  /** Of the event. Default `now`. */
  readonly timestamp?: Date;
  /** When it is signed: an old one is refused as a replay. Default the machine's time. */
  readonly now?: Date;
}

/** For `fetch(url, request)`, `app.request(url, request)` or `new Request(url, request)`. */
export interface SignedRequest {
  readonly method: "POST";
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * The request that a dispatcher sends of an event, for the tests of a receiver. Needs neither a dispatcher nor a database.
 *
 * @throws WebhookSecretError when the scheme cannot sign with the secret
 *
 * @example
 * const request = signedRequest({ type: "ticket.created", data: { number: 1 }, secret, url });
 * const response = await fetch(request.url, request);
 */
export function signedRequest({
  type,
  data,
  secret,
  url = "http://127.0.0.1/webhooks",
  id = newId("evt", Date.now()),
  tenantId = "tenant",
  now = new Date(),
  timestamp = now,
  profile = "standard",
  scheme = "standard-webhooks",
  headers: own = {},
}: SignedRequestOptions): SignedRequest {
  const event = { id, type, tenantId, timestamp: timestamp.toISOString(), data };
  const lowerCase = Object.entries(own).map(([name, value]) => [name.toLowerCase(), value] as const);
  const target: WebhookTarget = { url, scheme, headers: Object.fromEntries(lowerCase) };
  const endpoint = { id: null, tenantId, target, secrets: [secret] };
  const payload = writePayload(profile, event, USER_AGENT);
  const { headers } = requestOf({ endpoint, id, now }, payload);
  return { method: "POST", url, headers: { ...headers }, body: payload.body };
}
