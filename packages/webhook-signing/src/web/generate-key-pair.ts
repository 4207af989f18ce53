import type { WebhookKeyPair } from "../generate-key-pair.js";
import { encode } from "./web-crypto.js";

/** Makes a new ed25519 pair for Standard Webhooks v1a. */
export async function generateKeyPair(): Promise<WebhookKeyPair> {
  const { subtle } = crypto;
  const pair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("This runtime makes no Ed25519 pairs.");
  const seed = new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey)).subarray(-32);
  const publicKey = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  return {
    privateKey: `whsk_${encode(Uint8Array.of(...seed, ...publicKey), "base64")}`,
    publicKey: `whpk_${encode(publicKey, "base64")}`,
  };
}
