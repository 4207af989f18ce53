import { createHash, timingSafeEqual } from "node:crypto";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";

/** Tells whether a token is one of those configured, in a time that says nothing of them. */
export type BearerTokens = (token: string) => boolean;

const TOKEN = /^[\w.~+/=-]+$/;

/** Whether a text is long enough, and can stand in a header. */
export function isBearerToken(token: unknown): token is string {
  return typeof token === "string" && token.length >= DEFAULTS.source.minBearerCharacters && TOKEN.test(token);
}

/** @throws EngineError `invalid_options` for a token that is too short or can't stand in a header, and for none */
export function readBearerTokens(tokens: readonly string[]): BearerTokens {
  const digests = tokens.map((token) => {
    if (!isBearerToken(token)) {
      throw new EngineError(
        "invalid_options",
        `A bearer token has at least ${DEFAULTS.source.minBearerCharacters} characters of a-z, A-Z, 0-9 and -._~+/=.`,
      );
    }
    return digestOf(token);
  });
  if (digests.length === 0) throw new EngineError("invalid_options", "bearer is an empty list: nobody could call.");
  return (token) => {
    const digest = digestOf(token);
    return digests.map((known) => timingSafeEqual(known, digest)).includes(true);
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
