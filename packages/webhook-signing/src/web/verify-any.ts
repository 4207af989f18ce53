import type { WebhookBody } from "../body.js";
import { hasHeader, type WebhookHeaders } from "../headers.js";
import type { VerifyOptions } from "../received.js";
import type { VerifiedWebhook } from "../verified.js";
import { verify } from "./verify.js";

/**
 * For a time of migration, in which requests carry the headers of one scheme, of another, or of both side by side:
 * {@link verify} with the first of the ways whose signature header is there. What that way refuses is refused.
 *
 * @example
 * await verifyAny(body, headers, [
 *   { scheme: standardWebhooks, secrets: [newSecret] },
 *   { scheme: xtsystems, secrets: [oldSecret] },
 * ]);
 */
export async function verifyAny<Body extends WebhookBody>(
  body: Body,
  headers: WebhookHeaders,
  ways: readonly VerifyOptions[],
): Promise<VerifiedWebhook<Body>> {
  const way = ways.find(({ scheme }) => hasHeader(headers, scheme.signatureHeader)) ?? ways[0];
  if (way === undefined) throw new TypeError("verifyAny needs at least one way.");
  return verify(body, headers, way);
}
