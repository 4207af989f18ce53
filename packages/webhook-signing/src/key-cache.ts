import { WebhookSecretError } from "./errors.js";
import type { Scheme } from "./scheme.js";
import { checkKeyUse, type KeyUse, type ParsedSecret, parseSecret } from "./secret.js";

/** A runtime's form of a key. */
export interface CachedKey {
  readonly kind: ParsedSecret["kind"];
  /** Of the key material, in bytes. */
  readonly length: number;
}

const maxKeysPerFormat = 4096;

/**
 * Remembers imported keys by the secret's value, at most 4,096 for each secret format: the oldest leaves first.
 * See docs/adr/0002-key-cache.md for why there is one.
 */
export function createKeyCache<Key extends CachedKey>(importKey: (secret: ParsedSecret, scheme: Scheme) => Key) {
  const formats = new Map<string, Map<unknown, Key>>();

  function imported(secret: unknown, scheme: Scheme): Key {
    const format = scheme.hmacPrefix === undefined ? `ed25519-${scheme.secretFormat}` : scheme.secretFormat;
    const keys = formats.get(format) ?? new Map<unknown, Key>();
    formats.set(format, keys);
    let key = keys.get(secret);
    if (key === undefined) {
      key = importKey(parseSecret(secret, scheme), scheme);
      if (keys.size >= maxKeysPerFormat) keys.delete(keys.keys().next().value);
      keys.set(secret, key);
    }
    return key;
  }

  return {
    /** One key for each secret, in order. Throws WebhookSecretError for the first that will not do. */
    keysFor(secrets: readonly string[], scheme: Scheme, use: KeyUse): readonly Key[] {
      if (!Array.isArray(secrets) || secrets.length === 0) {
        throw new WebhookSecretError("no_secret", `${scheme.name}: the list of secrets is empty.`);
      }
      return secrets.map((secret) => {
        const key = imported(secret, scheme);
        checkKeyUse(key, scheme, use);
        return key;
      });
    },
  };
}
