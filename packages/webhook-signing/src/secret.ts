import { WebhookSecretError } from "./errors.js";
import type { Scheme } from "./scheme.js";

/** A secret as key material. `private` is an ed25519 seed followed by its public key, as `whsk_` holds it. */
export interface ParsedSecret {
  readonly kind: "hmac" | "private" | "public";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Turns a secret into key material, by the scheme's format.
 *
 * @throws WebhookSecretError `malformed_secret`, `secret_too_long`
 */
export function parseSecret(secret: unknown, scheme: Scheme): ParsedSecret {
  if (typeof secret !== "string") throw malformed(scheme, "is not a string");
  if (scheme.secretFormat === "standard") return parseStandardSecret(secret, scheme);
  if (scheme.secretFormat === "text") return { kind: "hmac", bytes: new TextEncoder().encode(secret) };
  const bytes = scheme.secretFormat === "hex" ? decodeHex(secret) : decodeBase64(secret);
  if (bytes === undefined) throw malformed(scheme, `is not ${scheme.secretFormat}`);
  return scheme.hmacPrefix === undefined ? ed25519Key(bytes, scheme) : { kind: "hmac", bytes };
}

/**
 * Checks what one call may do with a key.
 *
 * @throws WebhookSecretError `secret_too_short`, `wrong_key`
 */
export function checkKeyUse(key: { kind: ParsedSecret["kind"]; length: number }, scheme: Scheme, use: KeyUse): void {
  if (key.kind === "hmac") {
    if (key.length >= scheme.minSecretBytes) return;
    throw new WebhookSecretError(
      "secret_too_short",
      `${scheme.name}: a secret needs ${scheme.minSecretBytes} bytes, this one has ${key.length}.`,
    );
  }
  if (key.kind !== (use === "sign" ? "private" : "public")) {
    throw new WebhookSecretError("wrong_key", `${scheme.name}: one cannot ${use} with a ${key.kind} key.`);
  }
}

export type KeyUse = "sign" | "verify";

const maxStandardBytes = 64;

function parseStandardSecret(secret: string, scheme: Scheme): ParsedSecret {
  const prefix = /^wh(?:sec|sk|pk)_/.exec(secret)?.[0] ?? "";
  const bytes = decodeBase64(secret.slice(prefix.length));
  if (bytes === undefined) throw malformed(scheme, "is not base64 after its prefix");
  if (prefix === "whsk_" || prefix === "whpk_") {
    const key = ed25519Key(bytes, scheme);
    if ((key.kind === "private") !== (prefix === "whsk_")) throw malformed(scheme, "has the wrong length");
    return key;
  }
  if (bytes.length > maxStandardBytes) {
    throw new WebhookSecretError("secret_too_long", `${scheme.name}: a secret has at most ${maxStandardBytes} bytes.`);
  }
  return { kind: "hmac", bytes };
}

function ed25519Key(bytes: Uint8Array<ArrayBuffer>, scheme: Scheme): ParsedSecret {
  if (bytes.length === 64) return { kind: "private", bytes };
  if (bytes.length === 32) return { kind: "public", bytes };
  throw malformed(scheme, "has the wrong length");
}

function malformed(scheme: Scheme, what: string): WebhookSecretError {
  return new WebhookSecretError("malformed_secret", `${scheme.name}: a secret ${what}.`);
}

export function decodeHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
}

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const binary = atob(text);
  // A secret with stray bits in its last digit would have two spellings.
  return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : undefined;
}
