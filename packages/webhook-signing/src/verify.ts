import { checkBody, type WebhookBody } from "./body.js";
import type { WebhookHeaders } from "./headers.js";
import { type Content, type NodeKey, nodeCrypto } from "./node-crypto.js";
import { type Received, receive, signaturesFor, type VerifyOptions } from "./received.js";
import type { Scheme } from "./scheme.js";
import { mismatch, toVerified, type VerifiedWebhook } from "./verified.js";

/**
 * Checks that a request was signed with one of the secrets and not long ago, and answers what it says. The body must
 * be exactly what came over the wire. The same request passes as often as it comes: see `createReplayGuard`.
 *
 * @example
 * const { id, json } = verify(rawBody, request.headers, { scheme: standardWebhooks, secrets: ["whsec_…"] });
 * @throws WebhookVerificationError with a code, for whatever is wrong with the request
 * @throws WebhookSecretError for a secret that will not do, whatever the request
 * @throws TypeError for a body that is neither string nor bytes, or a tolerance that is none
 */
export function verify<Body extends WebhookBody>(
  body: Body,
  headers: WebhookHeaders,
  options: VerifyOptions,
): VerifiedWebhook<Body> {
  checkBody(body);
  const { scheme } = options;
  const keys = nodeCrypto.keysFor(options.secrets, scheme, "verify");
  const received = receive(headers, options);
  const content = { prefix: received.contentPrefix, body };
  if (keys.some((key) => fits(key, content, { received, scheme }))) return toVerified(received, body);
  throw mismatch(
    scheme.signatureHeader,
    keys.some((key) => signaturesFor(key, received).length > 0),
  );
}

function fits(key: NodeKey, content: Content, { received, scheme }: { received: Received; scheme: Scheme }): boolean {
  const signatures = signaturesFor(key, received);
  if (signatures.length === 0) return false;
  if (key.kind === "hmac") {
    const expected = nodeCrypto.hmac(key, content, scheme.encoding);
    return signatures.some((signature) => nodeCrypto.equal(expected, signature, scheme.encoding));
  }
  return signatures.some((signature) =>
    nodeCrypto.verifyEd25519(key, content, Buffer.from(signature, scheme.encoding)),
  );
}
