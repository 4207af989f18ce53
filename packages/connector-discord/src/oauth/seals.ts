import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Values that travel through a browser, or by way of Discord, and are read by nobody on the way. */
export interface Seals {
  /** Encrypted and authenticated; a value sealed under one label does not open under another. */
  seal(label: string, value: object): string;
  /** Null for what was not sealed here under this label. */
  open(label: string, sealed: string): unknown;
  /** The same 43 characters of base64url for the same text, which nobody else can tell. */
  derive(label: string, text: string): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createSeals(secret: string): Seals {
  const keyFor = (purpose: string) => Buffer.from(hkdfSync("sha256", secret, "", `hookline discord ${purpose}`, 32));
  const sealingKey = keyFor("oauth seal");
  const derivingKey = keyFor("oauth derive");

  return {
    seal(label, value) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", sealingKey, iv).setAAD(Buffer.from(label));
      const text = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url");
    },
    open(label, sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length <= IV_BYTES + TAG_BYTES) return null;
      const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", sealingKey, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(label)).setAuthTag(tag);
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        return JSON.parse(text.toString("utf8"));
      } catch {
        // Not ours, or changed on the way: the caller says so to whoever sent it.
        return null;
      }
    },
    derive: (label, text) => createHmac("sha256", derivingKey).update(`${label}:${text}`).digest("base64url"),
  };
}
