import type { WebhookBody } from "../body.js";
import { WebhookSecretError } from "../errors.js";
import { type CachedKey, createKeyCache } from "../key-cache.js";
import type { Scheme } from "../scheme.js";
import type { ParsedSecret } from "../secret.js";

export interface WebKey extends CachedKey {
  readonly cryptoKey: Promise<CryptoKey>;
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Keys on WebCrypto. Decision record docs/adr/0002-key-cache.md says why this one is kept by the module. */
export const webKeys = /* @__PURE__ */ createKeyCache<WebKey>((secret, scheme) => {
  const cryptoKey = importWebKey(secret, scheme);
  // Who awaits the key hears of a failure; this only keeps it from being reported as unhandled before.
  cryptoKey.catch(() => undefined);
  return { kind: secret.kind, length: secret.bytes.length, cryptoKey };
});

/** Prefix and body as one piece of memory. */
export function join(prefix: string, body: WebhookBody): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  if (typeof body === "string") return encoder.encode(prefix + body);
  const head = encoder.encode(prefix);
  const joined = new Uint8Array(head.length + body.length);
  joined.set(head);
  joined.set(body, head.length);
  return joined;
}

/** The signature, encoded. */
export async function signWeb(key: WebKey, content: Uint8Array<ArrayBuffer>, encoding: "hex" | "base64") {
  const signature = await crypto.subtle.sign(algorithmOf(key), await key.cryptoKey, content);
  return encode(new Uint8Array(signature), encoding);
}

/** Constant-time, as WebCrypto's `verify` is. */
export async function verifyWeb(key: WebKey, content: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) {
  return crypto.subtle.verify(algorithmOf(key), await key.cryptoKey, signature, content);
}

export function encode(bytes: Uint8Array, encoding: "hex" | "base64"): string {
  if (encoding === "base64") return btoa(String.fromCharCode(...bytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function algorithmOf({ kind }: WebKey): string {
  return kind === "hmac" ? "HMAC" : "Ed25519";
}

async function importWebKey({ kind, bytes }: ParsedSecret, scheme: Scheme): Promise<CryptoKey> {
  const { subtle } = crypto;
  if (kind === "hmac") {
    return subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
  }
  try {
    const publicKey = await subtle.importKey("raw", bytes.slice(-32), "Ed25519", false, ["verify"]);
    if (kind === "public") return publicKey;
    const pkcs8 = new Uint8Array(48);
    pkcs8.set([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);
    pkcs8.set(bytes.subarray(0, 32), 16);
    const privateKey = await subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    const probe = await subtle.sign("Ed25519", privateKey, pkcs8.subarray(0, 16));
    if (await subtle.verify("Ed25519", publicKey, probe, pkcs8.subarray(0, 16))) return privateKey;
  } catch (cause) {
    throw new WebhookSecretError("malformed_secret", `${scheme.name}: this runtime refuses the key.`, { cause });
  }
  throw new WebhookSecretError("malformed_secret", `${scheme.name}: a private key has two halves that differ.`);
}
