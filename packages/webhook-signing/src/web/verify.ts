import { checkBody, type WebhookBody } from "../body.js";
import type { WebhookHeaders } from "../headers.js";
import { receive, signaturesFor, type VerifyOptions } from "../received.js";
import { decodeBase64, decodeHex } from "../secret.js";
import { mismatch, toVerified, type VerifiedWebhook } from "../verified.js";
import { join, verifyWeb, webKeys } from "./web-crypto.js";

/**
 * Checks with WebCrypto that a request was signed with one of the secrets and not long ago, and answers what it says.
 * The body must be exactly what came over the wire. The same request passes as often as it comes: see
 * `createReplayGuard`.
 *
 * Rejects with a WebhookVerificationError for whatever is wrong with the request, with a WebhookSecretError for a secret
 * that will not do, and with a TypeError for a body that is neither string nor bytes, or a tolerance that is none.
 *
 * @example
 * const { id, json } = await verify(await request.text(), request.headers, { scheme, secrets: [env.WEBHOOK_SECRET] });
 */
export async function verify<Body extends WebhookBody>(
  body: Body,
  headers: WebhookHeaders,
  options: VerifyOptions,
): Promise<VerifiedWebhook<Body>> {
  checkBody(body);
  const { scheme } = options;
  const keys = webKeys.keysFor(options.secrets, scheme, "verify");
  const received = receive(headers, options);
  const content = join(received.contentPrefix, body);
  const decode = scheme.encoding === "hex" ? decodeHex : decodeBase64;
  let looked = false;
  for (const key of keys) {
    for (const signature of signaturesFor(key, received)) {
      looked = true;
      const bytes = decode(signature);
      if (bytes !== undefined && (await verifyWeb(key, content, bytes))) return toVerified(received, body);
    }
  }
  throw mismatch(scheme.signatureHeader, looked);
}
