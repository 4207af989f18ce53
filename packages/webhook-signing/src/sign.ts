import { checkBody, type WebhookBody } from "./body.js";
import { type SignOptions, toHeaders, toMessage } from "./message.js";
import { nodeCrypto } from "./node-crypto.js";
import type { Scheme } from "./scheme.js";

/**
 * Signs a body and answers the headers to send with it, names in lower case. Send exactly the body that was signed.
 *
 * @example
 * const headers = sign(body, { scheme: standardWebhooks, secrets: ["whsec_…"], id: "msg_1", timestamp: 1614265330 });
 * @throws WebhookSecretError for a secret that will not do
 * @throws TypeError for an id, a timestamp or a body that cannot be signed
 */
export function sign(body: WebhookBody, options: SignOptions): Record<string, string> {
  checkBody(body);
  const headers = signOne(body, options.scheme, options);
  for (const scheme of options.scheme.alongside) Object.assign(headers, signOne(body, scheme, options));
  return headers;
}

function signOne(body: WebhookBody, scheme: Scheme, options: SignOptions): Record<string, string> {
  const keys = nodeCrypto.keysFor(options.secrets, scheme, "sign");
  const message = toMessage(scheme, options);
  const content = { prefix: scheme.contentPrefix?.(message) ?? "", body };
  const signing = scheme.separator === undefined ? keys.slice(0, 1) : keys;
  const signatures = signing.map((key) =>
    key.kind === "hmac"
      ? scheme.hmacPrefix + nodeCrypto.hmac(key, content, scheme.encoding)
      : scheme.ed25519Prefix + nodeCrypto.signEd25519(key, content, scheme.encoding),
  );
  return toHeaders(scheme, message, signatures);
}
