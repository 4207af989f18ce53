import { generateKeyPairSync } from "node:crypto";

/** An ed25519 pair for Standard Webhooks v1a: the sender keeps `privateKey` and shows `publicKey` to receivers. */
export interface WebhookKeyPair {
  /** `whsk_` and the seed with the public key, in base64. */
  readonly privateKey: string;
  /** `whpk_` and the public key, in base64. */
  readonly publicKey: string;
}

/** Makes a new {@link WebhookKeyPair}. */
export function generateKeyPair(): WebhookKeyPair {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const seed = Buffer.from(d, "base64url");
  const publicKey = Buffer.from(x, "base64url");
  return {
    privateKey: `whsk_${Buffer.concat([seed, publicKey]).toString("base64")}`,
    publicKey: `whpk_${publicKey.toString("base64")}`,
  };
}
