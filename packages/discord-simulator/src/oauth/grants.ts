import { createHash, randomBytes } from "node:crypto";
import type { UserState } from "../world/model.js";

/** What a person allowed the application. */
export interface Grant {
  readonly user: UserState;
  readonly scopes: readonly string[];
  readonly guildId: string | null;
}

export interface AccessToken extends Grant {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAtMs: number;
}

/** Authorization codes and access tokens, as Discord's OAuth2 hands them out. */
export interface Grants {
  /** A code that is good once, for ten minutes. */
  createCode(grant: Grant, request: CodeRequest): string;
  /** Undefined: unknown, used, expired, another redirect URI or a wrong verifier. */
  redeemCode(
    code: string,
    proof: { readonly redirectUri: string; readonly verifier: string | undefined },
  ): AccessToken | undefined;
  refresh(refreshToken: string): AccessToken | undefined;
  issue(grant: Grant): AccessToken;
  byAccessToken(token: string): AccessToken | undefined;
  /** By its access or refresh token. */
  find(token: string): AccessToken | undefined;
  /** Everything that a person has allowed. */
  forget(userId: string): void;
}

interface CodeRequest {
  readonly redirectUri: string;
  /** S256, or null without PKCE. */
  readonly challenge: string | null;
}

export const TOKEN_SECONDS = 604_800;
const CODE_MS = 600_000;

export function createGrants(now: () => number): Grants {
  const codes = new Map<
    string,
    { readonly grant: Grant; readonly request: CodeRequest; readonly expiresAtMs: number }
  >();
  const tokens = new Set<AccessToken>();

  function issue({ user, scopes, guildId }: Grant): AccessToken {
    const token: AccessToken = {
      user,
      scopes,
      guildId,
      accessToken: randomBytes(22).toString("base64url"),
      refreshToken: randomBytes(22).toString("base64url"),
      expiresAtMs: now() + TOKEN_SECONDS * 1000,
    };
    tokens.add(token);
    return token;
  }

  return {
    issue,
    createCode(grant, request) {
      const code = randomBytes(22).toString("base64url");
      codes.set(code, { grant, request, expiresAtMs: now() + CODE_MS });
      return code;
    },
    redeemCode(code, { redirectUri, verifier }) {
      const known = codes.get(code);
      codes.delete(code);
      if (!known || known.expiresAtMs < now() || known.request.redirectUri !== redirectUri) {
        return undefined;
      }
      return isProven(known.request.challenge, verifier) ? issue(known.grant) : undefined;
    },
    refresh(refreshToken) {
      const old = [...tokens].find((token) => token.refreshToken === refreshToken);
      if (!old) {
        return undefined;
      }
      tokens.delete(old);
      return issue(old);
    },
    byAccessToken: (wanted) =>
      [...tokens].find(({ accessToken, expiresAtMs }) => accessToken === wanted && expiresAtMs > now()),
    find: (wanted) => [...tokens].find((token) => [token.accessToken, token.refreshToken].includes(wanted)),
    forget(userId) {
      for (const token of tokens) {
        if (token.user.user.id === userId) {
          tokens.delete(token);
        }
      }
    },
  };
}

function isProven(challenge: string | null, verifier: string | undefined): boolean {
  return (
    challenge === null ||
    (verifier !== undefined && createHash("sha256").update(verifier).digest("base64url") === challenge)
  );
}
