import nacl from "tweetnacl";

export interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs a body as Discord does: ed25519 over timestamp and body. */
export function signRequest(secretKey: Uint8Array, body: string, timestampSeconds: number): SignedRequest {
  const timestamp = String(timestampSeconds);
  const signature = nacl.sign.detached(Buffer.from(timestamp + body), secretKey);
  return {
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "Discord-Interactions/1.0 (+https://discord.com)",
      "x-signature-ed25519": Buffer.from(signature).toString("hex"),
      "x-signature-timestamp": timestamp,
    },
  };
}

/** The same request with a signature that does not fit. */
export function spoilSignature(request: SignedRequest): SignedRequest {
  const signature = request.headers["x-signature-ed25519"] ?? "";
  const spoiled = (signature.startsWith("0") ? "1" : "0") + signature.slice(1);
  return { body: request.body, headers: { ...request.headers, "x-signature-ed25519": spoiled } };
}
