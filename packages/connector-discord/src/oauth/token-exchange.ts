import type { Clock } from "@hookline/core";
import { z } from "zod";
import type { DiscordRest } from "../rest/discord-rest.js";

/** Discord's token endpoint. Everything throws the REST client's errors. */
export interface TokenExchange {
  /** Exchanges a code, with what proves that it came to who asked for it. */
  redeem(proof: { readonly code: string; readonly codeVerifier: string }): Promise<GrantedTokens>;
  /** New tokens for old; the old ones end. */
  refresh(refreshToken: string): Promise<GrantedTokens>;
  /** Ends every token of the grant. */
  revoke(token: string): Promise<void>;
}

export interface GrantedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
  /** The server that an installation chose. */
  readonly guild: { readonly id: string; readonly name: string | null } | null;
}

export interface TokenExchangeOptions {
  readonly applicationId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly rest: DiscordRest;
  readonly clock: Clock;
}

const tokenSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().default(""),
  expires_in: z.number().default(0),
  scope: z.string().default(""),
  guild: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
});

/** @see https://docs.discord.com/developers/topics/oauth2#authorization-code-grant */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const authorization = `Basic ${Buffer.from(`${options.applicationId}:${options.clientSecret}`).toString("base64")}`;

  async function ask(form: Readonly<Record<string, string>>): Promise<GrantedTokens> {
    const body = new URLSearchParams(form);
    const granted = tokenSchema.parse(
      await options.rest.request({ method: "POST", path: "/oauth2/token", body, authorization }),
    );
    const { guild } = granted;
    return {
      accessToken: granted.access_token,
      refreshToken: granted.refresh_token,
      expiresAtMs: options.clock.now() + granted.expires_in * 1_000,
      scopes: granted.scope.split(" ").filter(Boolean),
      guild: guild == null ? null : { id: guild.id, name: guild.name ?? null },
    };
  }

  return {
    redeem: ({ code, codeVerifier }) =>
      ask({
        grant_type: "authorization_code",
        code,
        redirect_uri: options.redirectUri,
        code_verifier: codeVerifier,
      }),
    refresh: (refreshToken) => ask({ grant_type: "refresh_token", refresh_token: refreshToken }),
    async revoke(token) {
      const body = new URLSearchParams({ token });
      await options.rest.request({ method: "POST", path: "/oauth2/token/revoke", body, authorization });
    },
  };
}
