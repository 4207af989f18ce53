import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { DatabaseError } from "./errors.js";

/** Options of {@link createColumnCipher}. */
export interface ColumnCipherOptions {
  /** Base64 of 32 random bytes each, newest first: the first encrypts, all of them decrypt. */
  readonly keys: readonly string[];
}

/** Encrypts single column values, so that what lies in the database is of no use without the key. */
export interface ColumnCipher {
  /** The value as text such as `v1.1f0c9a7e.…`; each call answers a different one. */
  encrypt(text: string, context: string): string;
  /** @throws DatabaseError `decrypt_failed`: unknown key, another context, or a changed value */
  decrypt(text: string, context: string): string;
  /** Whether the value was encrypted with another key than the newest, and should be written anew. */
  needsRotation(text: string): boolean;
}

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM with the key's id in the text, so that keys can be rotated. `context` says what the value is, such as
 * `endpoints.target`, and is authenticated: a value moved to another column does not decrypt.
 *
 * @throws DatabaseError `invalid_key`
 *
 * @example
 * const cipher = createColumnCipher({ keys: [newestKey, olderKey] });
 * cipher.decrypt(cipher.encrypt("secret", "endpoints.secret"), "endpoints.secret");
 *
 * @see https://doi.org/10.6028/NIST.SP.800-38D
 */
export function createColumnCipher({ keys }: ColumnCipherOptions): ColumnCipher {
  const byId = new Map(keys.map((key, index) => readKey(key, index)));
  const [newest] = byId;
  if (!newest) throw new DatabaseError("invalid_key", "A column cipher needs at least one key.");
  const [newestId, newestKey] = newest;

  return {
    encrypt(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", newestKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(authenticated(newestId, context));
      const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${VERSION}.${newestId}.${sealed.toString("base64url")}`;
    },
    decrypt(text, context) {
      const { id, sealed } = parse(text);
      const key = byId.get(id);
      if (!key) throw failed(`no key with id ${id} is configured`);
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(authenticated(id, context));
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
        return decipher.update(body, undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw failed(`it was changed, or does not belong to ${context}`);
      }
    },
    needsRotation: (text) => parse(text).id !== newestId,
  };
}

function readKey(key: string, index: number): [string, Buffer] {
  const bytes = Buffer.from(key, "base64");
  const canonical = bytes.toString("base64").replace(/=+$/, "");
  if (bytes.length !== 32 || canonical !== key.trim().replace(/=+$/, "")) {
    throw new DatabaseError("invalid_key", `Encryption key number ${index + 1} is not base64 of 32 bytes.`);
  }
  // A short digest names the key without telling anything of it.
  return [createHash("sha256").update("hookline column key").update(bytes).digest("hex").slice(0, 8), bytes];
}

function parse(text: string): { readonly id: string; readonly sealed: Buffer } {
  const [version, id, body, ...rest] = text.split(".");
  const sealed = Buffer.from(body ?? "", "base64url");
  if (version !== VERSION || !id || rest.length > 0 || sealed.length < NONCE_BYTES + TAG_BYTES) {
    throw failed("it was not written by a column cipher");
  }
  return { id, sealed };
}

function authenticated(id: string, context: string): Buffer {
  return Buffer.from(`${VERSION}.${id}.${context}`, "utf8");
}

function failed(reason: string): DatabaseError {
  return new DatabaseError("decrypt_failed", `A stored value cannot be decrypted: ${reason}.`);
}
