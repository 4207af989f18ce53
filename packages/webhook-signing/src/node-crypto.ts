import crypto, { type KeyObject } from "node:crypto";
import type { WebhookBody } from "./body.js";
import { WebhookSecretError } from "./errors.js";
import { type CachedKey, createKeyCache } from "./key-cache.js";
import type { Scheme } from "./scheme.js";
import type { ParsedSecret } from "./secret.js";

interface HmacKey extends CachedKey {
  readonly kind: "hmac";
  /** The key as HMAC mixes it into the inner and the outer hash. */
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
  readonly keyObject: KeyObject;
}

interface Ed25519Key extends CachedKey {
  readonly kind: "private" | "public";
  readonly keyObject: KeyObject;
}

export type NodeKey = HmacKey | Ed25519Key;
export type { Ed25519Key, HmacKey };

const blockBytes = 64;
const scratchBytes = 65_536;
// What a prefix (id, timestamp, the scheme's own words) may need at most in front of the body.
const prefixBytes = 1024;

/** Keys and signatures on node:crypto, synchronous. */
function createNodeCrypto() {
  const cache = createKeyCache<NodeKey>(importNodeKey);
  // One-shot hashes over one piece of memory take about half the time of an Hmac object, but need the key, the prefix
  // and the body side by side. Nothing here waits, so calls cannot meet in it.
  const inner = Buffer.alloc(blockBytes + scratchBytes);
  const outer = Buffer.alloc(blockBytes + 32);
  const expected = { hex: Buffer.alloc(64), base64: Buffer.alloc(44) };
  const candidate = { hex: Buffer.alloc(64), base64: Buffer.alloc(44) };
  const oneShot = typeof crypto.hash === "function";

  function hmac(key: HmacKey, content: Content, encoding: "hex" | "base64"): string {
    const { prefix, body } = content;
    const bodyBytes = typeof body === "string" ? body.length * 3 : body.length;
    if (!oneShot || bodyBytes > scratchBytes - prefixBytes || prefix.length * 3 > prefixBytes) {
      return crypto.createHmac("sha256", key.keyObject).update(prefix).update(body).digest(encoding);
    }
    inner.set(key.inner);
    let end = blockBytes;
    if (prefix !== "") end += inner.write(prefix, end);
    if (typeof body === "string") {
      end += inner.write(body, end);
    } else {
      inner.set(body, end);
      end += body.length;
    }
    outer.set(key.outer);
    outer.write(crypto.hash("sha256", inner.subarray(0, end), "binary"), blockBytes, "latin1");
    return crypto.hash("sha256", outer, encoding);
  }

  return {
    keysFor: cache.keysFor,
    hmac,
    /** Constant-time. Both are in the form of one encoding, so their lengths are equal. */
    equal(a: string, b: string, encoding: "hex" | "base64"): boolean {
      expected[encoding].write(a, 0, "latin1");
      candidate[encoding].write(b, 0, "latin1");
      return crypto.timingSafeEqual(expected[encoding], candidate[encoding]);
    },
    signEd25519(key: Ed25519Key, content: Content, encoding: "hex" | "base64"): string {
      return crypto.sign(null, join(content), key.keyObject).toString(encoding);
    },
    verifyEd25519(key: Ed25519Key, content: Content, signature: Buffer): boolean {
      return crypto.verify(null, join(content), key.keyObject, signature);
    },
  };
}

/** Decision record docs/adr/0002-key-cache.md says why this one is kept by the module. */
export const nodeCrypto = /* @__PURE__ */ createNodeCrypto();

export interface Content {
  readonly prefix: string;
  readonly body: WebhookBody;
}

function join({ prefix, body }: Content): Uint8Array {
  return typeof body === "string" ? Buffer.from(prefix + body) : Buffer.concat([Buffer.from(prefix), body]);
}

function importNodeKey({ kind, bytes }: ParsedSecret, scheme: Scheme): NodeKey {
  if (kind !== "hmac") return { kind, length: bytes.length, keyObject: importEd25519(kind, bytes, scheme) };
  const block = bytes.length > blockBytes ? crypto.createHash("sha256").update(bytes).digest() : bytes;
  const mixed = (pad: number) => Uint8Array.from({ length: blockBytes }, (_, at) => (block[at] ?? 0) ^ pad);
  const keyObject = crypto.createSecretKey(bytes);
  return { kind, length: bytes.length, inner: mixed(0x36), outer: mixed(0x5c), keyObject };
}

function importEd25519(kind: "private" | "public", bytes: Uint8Array, scheme: Scheme): KeyObject {
  const publicKey = crypto.createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(bytes.subarray(-32)).toString("base64url") },
    format: "jwk",
  });
  if (kind === "public") return publicKey;
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), bytes.subarray(0, 32)]);
  const privateKey = crypto.createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  if (crypto.createPublicKey(privateKey).equals(publicKey)) return privateKey;
  throw new WebhookSecretError("malformed_secret", `${scheme.name}: a private key has two halves that differ.`);
}
