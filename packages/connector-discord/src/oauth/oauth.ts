import type { Clock } from "@hookline/core";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { z } from "zod";
import { contactProperties } from "../ingress/contact-properties.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import { OAUTH_DEFAULTS, type OAuthPurpose, type OAuthStates } from "./oauth-state.js";

/** Send the browser to `url` with `setCookie` as its Set-Cookie header: the callback only works in that browser. */
export interface OAuthStart {
  readonly url: string;
  readonly setCookie: string;
}

/** Merged into the stored credential, one key for each server: `guild.{id}`. */
export type DerivedPatch = Readonly<Record<`guild.${string}`, InstalledGuild>>;

export interface InstalledGuild {
  readonly id: string;
  readonly name: string | null;
  readonly tenantId: string;
  /** ISO 8601. */
  readonly installedAt: string;
}

/** A Discord account that belongs to an address. */
export interface ResolveContactRequest {
  readonly tenantId: string;
  readonly discordId: string;
  readonly discordUserName: string;
  /** The address for which the link was issued, never the one that Discord reports. */
  readonly email: string;
  readonly contactProperties: Readonly<Record<string, unknown>>;
}

export interface OAuthOptions {
  readonly applicationId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly authorizeUrl: string;
  readonly states: OAuthStates;
  readonly rest: DiscordRest;
  readonly clock: Clock;
  readonly saveDerived: (patch: DerivedPatch) => Promise<void>;
  readonly resolveContact: (request: ResolveContactRequest) => Promise<void>;
}

/** What a finished round did. */
export type OAuthOutcome =
  | { readonly purpose: "install"; readonly guild: InstalledGuild }
  | { readonly purpose: "member_link"; readonly userName: string };

export interface OAuth {
  start(started: OAuthPurpose): OAuthStart;
  /** The Set-Cookie header that ends a round. */
  readonly clearCookie: string;
  /** Exchanges the code and does what the round was started for. Throws the REST client's errors. */
  finish(started: OAuthPurpose, code: string): Promise<OAuthOutcome>;
}

/** What the bot needs for the messages and the role; a server's owner sees this list when adding it. */
const BOT_PERMISSIONS =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.EmbedLinks |
  PermissionFlagsBits.ReadMessageHistory |
  PermissionFlagsBits.ManageRoles;

const tokenSchema = z.object({
  access_token: z.string().min(1),
  guild: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
});

const meSchema = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  username: z.string(),
  global_name: z.string().nullish(),
  avatar: z.string().nullish(),
});

export function createOAuth(options: OAuthOptions): OAuth {
  const { rest, clock } = options;
  const { pathname, protocol } = new URL(options.redirectUri);
  const setCookie = (value: string, maxAgeSeconds: number) =>
    `${OAUTH_DEFAULTS.cookieName}=${value}; Path=${pathname}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${protocol === "https:" ? "; Secure" : ""}`;

  async function exchange(code: string) {
    const body = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: options.redirectUri });
    const basic = Buffer.from(`${options.applicationId}:${options.clientSecret}`).toString("base64");
    return tokenSchema.parse(
      await rest.request({ method: "POST", path: "/oauth2/token", body, authorization: `Basic ${basic}` }),
    );
  }

  async function install(tenantId: string, code: string): Promise<OAuthOutcome> {
    const { guild } = await exchange(code);
    if (guild == null) throw new TypeError("Discord's answer to the installation names no server.");
    const installed: InstalledGuild = {
      id: guild.id,
      name: guild.name ?? null,
      tenantId,
      installedAt: new Date(clock.now()).toISOString(),
    };
    await options.saveDerived({ [`guild.${guild.id}`]: installed });
    return { purpose: "install", guild: installed };
  }

  async function linkMember(tenantId: string, email: string, code: string): Promise<OAuthOutcome> {
    const { access_token: token } = await exchange(code);
    const me = meSchema.parse(
      await rest.request({ method: "GET", path: "/users/@me", authorization: `Bearer ${token}` }),
    );
    await options.resolveContact({
      tenantId,
      discordId: me.id,
      discordUserName: me.username,
      email,
      contactProperties: contactProperties({ user: me }),
    });
    return { purpose: "member_link", userName: me.username };
  }

  return {
    start(started) {
      const { state, cookie } = options.states.issue(started, clock.now());
      const query = new URLSearchParams({
        client_id: options.applicationId,
        response_type: "code",
        redirect_uri: options.redirectUri,
        scope: started.purpose === "install" ? "bot applications.commands" : "identify",
        state,
      });
      if (started.purpose === "install") query.set("permissions", String(BOT_PERMISSIONS));
      return {
        url: `${options.authorizeUrl}?${query}`,
        setCookie: setCookie(cookie, OAUTH_DEFAULTS.stateTtlSeconds),
      };
    },
    clearCookie: setCookie("", 0),
    finish: (started, code) =>
      started.purpose === "install"
        ? install(started.tenantId, code)
        : linkMember(started.tenantId, started.email, code),
  };
}
