import { checkBody, type WebhookBody } from "../body.js";
import { type SignOptions, toHeaders, toMessage } from "../message.js";
import type { Scheme } from "../scheme.js";
import { join, signWeb, webKeys } from "./web-crypto.js";

/**
 * Signs a body with WebCrypto and answers the headers to send with it, names in lower case. Send exactly the body that
 * was signed.
 *
 * Rejects with a WebhookSecretError for a secret that will not do, and with a TypeError for an id, a timestamp or a body
 * that cannot be signed.
 *
 * @example
 * const headers = await sign(body, { scheme: standardWebhooks, secrets: ["whsec_…"], id: "msg_1" });
 */
export async function sign(body: WebhookBody, options: SignOptions): Promise<Record<string, string>> {
  checkBody(body);
  const headers = await signOne(body, options.scheme, options);
  for (const scheme of options.scheme.alongside) Object.assign(headers, await signOne(body, scheme, options));
  return headers;
}

async function signOne(body: WebhookBody, scheme: Scheme, options: SignOptions): Promise<Record<string, string>> {
  const keys = webKeys.keysFor(options.secrets, scheme, "sign");
  const message = toMessage(scheme, options);
  const content = join(scheme.contentPrefix?.(message) ?? "", body);
  const signing = scheme.separator === undefined ? keys.slice(0, 1) : keys;
  const signatures = await Promise.all(
    signing.map(async (key) => {
      const prefix = key.kind === "hmac" ? scheme.hmacPrefix : scheme.ed25519Prefix;
      return prefix + (await signWeb(key, content, scheme.encoding));
    }),
  );
  return toHeaders(scheme, message, signatures);
}
