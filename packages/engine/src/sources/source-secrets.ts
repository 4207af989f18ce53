import { randomBytes } from "node:crypto";
import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import { isCleanText } from "../storage/text.js";
import { isBearerToken } from "./bearer-tokens.js";
import { invalidSource } from "./stored-source.js";

/** What callers of a stored source have to know; null where the source does not ask for it. Shown once. */
export interface SourceSecrets {
  readonly bearerToken: string | null;
  /** The key of the HMAC, as text. */
  readonly secret: string | null;
}

interface KeptSecret {
  readonly value: string;
  /** ISO 8601: from then on it opens nothing. Null for the newest. */
  readonly endsAt: string | null;
}

/** Everything that still fits, newest first. */
export interface KeptSecrets {
  readonly bearerTokens: readonly KeptSecret[];
  readonly secrets: readonly KeptSecret[];
}

export interface SourceKey {
  readonly tenantId: string;
  readonly id: string;
}

const RANDOM_BYTES = 32;

export function generateSourceSecret(): string {
  return randomBytes(RANDOM_BYTES).toString("base64url");
}

/** @throws EngineError `invalid_source` for a token or a secret that is too short or can't be sent */
export function checkSourceSecrets({ bearerToken, secret }: SourceSecrets): void {
  const { minBearerCharacters, maxSecretCharacters } = DEFAULTS.source;
  const issues: string[] = [];
  if (bearerToken !== null && !(isBearerToken(bearerToken) && bearerToken.length <= maxSecretCharacters)) {
    issues.push(
      `bearerToken: ${minBearerCharacters} to ${maxSecretCharacters} characters of a-z, A-Z, 0-9 and -._~+/=`,
    );
  }
  const isSecret = typeof secret === "string" && isCleanText(secret, maxSecretCharacters);
  if (secret !== null && !(isSecret && secret.length >= minBearerCharacters)) {
    issues.push(`secret: a text of ${minBearerCharacters} to ${maxSecretCharacters} characters`);
  }
  if (issues.length > 0) throw invalidSource(issues);
}

export function keepSecrets({ bearerToken, secret }: SourceSecrets): KeptSecrets {
  const first = (value: string | null) => (value === null ? [] : [{ value, endsAt: null }]);
  return { bearerTokens: first(bearerToken), secrets: first(secret) };
}

/**
 * Puts new ones in front, and lets those before them end at a time.
 *
 * @throws EngineError `invalid_source` for one that is in use, `too_many_secrets`
 */
export function rotateSecrets(
  kept: KeptSecrets,
  next: SourceSecrets,
  { now, endsAt }: { readonly now: Date; readonly endsAt: Date },
): KeptSecrets {
  const rotate = (list: readonly KeptSecret[], value: string | null): readonly KeptSecret[] => {
    if (value === null) return list;
    const older = list
      .filter((one) => isValid(one, now) && endsAt > now)
      .map((one) => ({ ...one, endsAt: earlier(one.endsAt, endsAt) }));
    if (older.some((one) => one.value === value)) throw invalidSource(["this secret is in use already"]);
    if (older.length >= DEFAULTS.source.maxValidSecrets) {
      throw new EngineError(
        "too_many_secrets",
        `${older.length} older secrets still fit: wait until one of them ends, or end them with overlapSeconds: 0.`,
      );
    }
    return [{ value, endsAt: null }, ...older];
  };
  return {
    bearerTokens: rotate(kept.bearerTokens, next.bearerToken),
    secrets: rotate(kept.secrets, next.secret),
  };
}

export function validValues(list: readonly KeptSecret[], now: Date): readonly string[] {
  return list.filter((one) => isValid(one, now)).map(({ value }) => value);
}

function isValid({ endsAt }: KeptSecret, now: Date): boolean {
  return endsAt === null || new Date(endsAt) > now;
}

function earlier(endsAt: string | null, other: Date): string {
  return endsAt !== null && new Date(endsAt) < other ? endsAt : other.toISOString();
}

export function encryptSecrets(cipher: ColumnCipher, key: SourceKey, kept: KeptSecrets): string {
  return cipher.encrypt(JSON.stringify(kept), sourceSecretsContext(key));
}

/** @throws EngineError `credential_unreadable` when none of the encryption keys fits */
export function decryptSecrets(cipher: ColumnCipher, key: SourceKey, text: string): KeptSecrets {
  try {
    return JSON.parse(cipher.decrypt(text, sourceSecretsContext(key))) as KeptSecrets;
  } catch (cause) {
    if (!isDatabaseError(cause)) throw cause;
    throw new EngineError("credential_unreadable", `The secrets of the source ${key.id} can't be decrypted.`, {
      cause,
    });
  }
}

/** What is authenticated beside the secrets: they belong to this source of this tenant. */
export function sourceSecretsContext({ tenantId, id }: SourceKey): string {
  return JSON.stringify(["sources.secrets", tenantId, id]);
}
