import type { Clock, Outbox } from "@hookline/core";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { z } from "zod";
import { contactProperties } from "../ingress/contact-properties.js";
import { toLinkedRoleSync } from "../linked-roles/linked-role-destination.js";
import type { LinkedRolesOptions, LinkedRoleTokens } from "../linked-roles/options.js";
import type { DiscordRest } from "../rest/discord-rest.js";
import { createLinkedRoleRound, type LinkedRoleOutcome } from "./linked-role-round.js";
import type { MemberTickets } from "./member-ticket.js";
import { OAUTH_DEFAULTS, type OAuthLink, type OAuthPurpose, type OAuthStates } from "./oauth-state.js";
import type { TokenExchange } from "./token-exchange.js";

/** Send the browser to `url` with `setCookie` as its Set-Cookie header: the callback only works in that browser. */
export interface OAuthStart {
  readonly url: string;
  readonly setCookie: string;
}

/** An address to open in the browser of whoever installs or connects. It carries a secret: show it to nobody else. */
export interface OAuthLinkAddress {
  readonly url: string;
  /** ISO 8601: no round begins with it later. */
  readonly expiresAt: string;
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

/** `guild_taken`: the server belongs to another tenant, which has to let go of it first. */
export type DerivedRefusal = { readonly ok: false; readonly reason: "guild_taken" };

/** A Discord account that belongs to an address. */
export interface ResolveContactRequest {
  readonly tenantId: string;
  readonly discordId: string;
  readonly discordUserName: string;
  /** The address for which the link was issued, never the one that Discord reports. */
  readonly email: string;
  /** Of the link that was issued: bind once for each. */
  readonly linkId: string;
  readonly contactProperties: Readonly<Record<string, unknown>>;
}

/** `link_used`: another account was bound by this link before. */
export type ResolveContactRefusal = { readonly ok: false; readonly reason: "link_used" };

export interface OAuthOptions {
  readonly applicationId: string;
  readonly redirectUri: string;
  readonly authorizeUrl: string;
  readonly states: OAuthStates;
  readonly rest: DiscordRest;
  readonly exchange: TokenExchange;
  readonly tickets: MemberTickets;
  /** Keeps what a member has allowed, and says who is linked; null where there are no Linked Roles. */
  readonly linkedRoles: Pick<LinkedRolesOptions, "tokens" | "describe"> | null;
  readonly clock: Clock;
  readonly saveDerived: (patch: DerivedPatch) => Promise<void> | Promise<DerivedRefusal | undefined>;
  readonly resolveContact: (
    request: ResolveContactRequest,
  ) => Promise<void> | Promise<ResolveContactRefusal | undefined>;
}

/** What a finished round did. */
export type OAuthOutcome =
  | { readonly ok: true; readonly purpose: "install"; readonly guild: InstalledGuild }
  | { readonly ok: true; readonly purpose: "member_link"; readonly userName: string }
  | LinkedRoleOutcome
  | (DerivedRefusal | ResolveContactRefusal | ScopeRefusal);

/** Discord did not grant what the round was for. */
type ScopeRefusal = { readonly ok: false; readonly reason: "authorization_failed" };

export interface OAuth {
  /** Begins a round at once, for an app that knows who sits at the browser. */
  start(started: OAuthPurpose): OAuthStart;
  /** A link that begins rounds for 15 minutes, until one of them has ended well. */
  link(started: OAuthPurpose): OAuthLinkAddress;
  /** A link as a page of ours shows it at once. */
  issueLink(started: OAuthPurpose): { readonly link: OAuthLink; readonly token: string };
  begin(link: OAuthLink): OAuthStart;
  /** Where the same link begins once more; null when it has run out. */
  tryAgainUrl(link: OAuthLink): string | null;
  /** The Set-Cookie header that ends a round. */
  readonly clearCookie: string;
  /** Exchanges the code and does what the round was started for. Throws the REST client's errors. */
  finish(round: OAuthReturn, outbox: Outbox): Promise<OAuthOutcome>;
}

interface OAuthReturn {
  readonly started: OAuthLink;
  readonly nonce: string;
  readonly code: string;
}

/** What the bot needs for the messages and the role; a server's owner sees this list when adding it. */
const BOT_PERMISSIONS =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.EmbedLinks |
  PermissionFlagsBits.ReadMessageHistory |
  PermissionFlagsBits.ManageRoles;

const meSchema = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  username: z.string(),
  global_name: z.string().nullish(),
  avatar: z.string().nullish(),
});

export function createOAuth(options: OAuthOptions): OAuth {
  const { rest, clock, states } = options;
  const { pathname, protocol } = new URL(options.redirectUri);
  const startUrl = options.redirectUri.replace(/\/callback$/, "/start");
  const setCookie = (value: string, maxAgeSeconds: number) =>
    `${OAUTH_DEFAULTS.cookieName}=${value}; Path=${pathname}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${protocol === "https:" ? "; Secure" : ""}`;
  const { linkedRoles } = options;
  const finishLinkedRole = linkedRoles === null ? null : createLinkedRoleRound({ ...options, linkedRoles });
  const memberScope = linkedRoles === null ? "identify" : `identify ${LINKED_ROLE_SCOPE}`;
  const startUrlOf = (token: string) => `${startUrl}?${new URLSearchParams({ link: token })}`;

  async function install(tenantId: string, proof: CodeProof): Promise<OAuthOutcome> {
    const { guild } = await options.exchange.redeem(proof);
    if (guild === null) throw new TypeError("Discord's answer to the installation names no server.");
    const installed: InstalledGuild = {
      id: guild.id,
      name: guild.name,
      tenantId,
      installedAt: new Date(clock.now()).toISOString(),
    };
    const refusal = await options.saveDerived({ [`guild.${guild.id}`]: installed });
    return refusal ?? { ok: true, purpose: "install", guild: installed };
  }

  async function linkMember(
    link: OAuthLink & { purpose: "member_link" },
    proof: CodeProof,
    outbox: Outbox,
  ): Promise<OAuthOutcome> {
    const { me, roleTokens } = await whoIs(proof);
    const account = { tenantId: link.tenantId, discordId: me.id };
    // Before the account is linked: what follows a link finds them.
    if (roleTokens) await linkedRoles?.tokens.save(account, roleTokens);
    const refusal = await options.resolveContact({
      ...account,
      discordUserName: me.username,
      email: link.email,
      linkId: link.linkId,
      contactProperties: contactProperties({ user: me }),
    });
    // Tokens of who is not linked are given back.
    if (refusal && linkedRoles && roleTokens) await outbox.send(toLinkedRoleSync(account));
    return refusal ?? { ok: true, purpose: "member_link", userName: me.username };
  }

  /** Whose browser it is, and the tokens if they are of use for Linked Roles. */
  async function whoIs(
    proof: CodeProof,
  ): Promise<{ me: z.infer<typeof meSchema>; roleTokens: LinkedRoleTokens | null }> {
    const { scopes, guild: _guild, ...tokens } = await options.exchange.redeem(proof);
    const authorization = `Bearer ${tokens.accessToken}`;
    const me = meSchema.parse(await rest.request({ method: "GET", path: "/users/@me", authorization }));
    return { me, roleTokens: scopes.includes(LINKED_ROLE_SCOPE) ? tokens : null };
  }

  async function proveMember(tenantId: string, proof: CodeProof, outbox: Outbox): Promise<OAuthOutcome> {
    const { me, roleTokens } = await whoIs(proof);
    if (finishLinkedRole === null || roleTokens === null) return { ok: false, reason: "authorization_failed" };
    const account = { tenantId, discordId: me.id };
    return finishLinkedRole({ account, userName: me.username, tokens: roleTokens }, outbox);
  }

  function begin(link: OAuthLink): OAuthStart {
    const { state, cookie, codeChallenge } = states.begin(link, clock.now());
    const query = new URLSearchParams({
      client_id: options.applicationId,
      response_type: "code",
      redirect_uri: options.redirectUri,
      ...(link.purpose === "install" ? INSTALL : { ...MEMBER_LINK, scope: memberScope }),
      state,
      code_challenge: codeChallenge,
      code_challenge_method: "S256",
    });
    return {
      url: `${options.authorizeUrl}?${query}`,
      setCookie: setCookie(cookie, OAUTH_DEFAULTS.stateTtlSeconds),
    };
  }

  return {
    begin,
    issueLink: (started) => states.issueLink(started, clock.now()),
    start: (started) => begin(states.issueLink(started, clock.now()).link),
    link(started) {
      const { link, token } = states.issueLink(started, clock.now());
      return { url: startUrlOf(token), expiresAt: new Date(link.linkExpiresMs).toISOString() };
    },
    tryAgainUrl: (link) => (link.linkExpiresMs > clock.now() ? startUrlOf(states.tokenOf(link)) : null),
    clearCookie: setCookie("", 0),
    finish({ started, nonce, code }, outbox) {
      const proof = { code, codeVerifier: states.codeVerifier(nonce) };
      if (started.purpose === "install") return install(started.tenantId, proof);
      if (started.purpose === "linked_role") return proveMember(started.tenantId, proof, outbox);
      return linkMember(started, proof, outbox);
    },
  };
}

type CodeProof = Parameters<TokenExchange["redeem"]>[0];

const LINKED_ROLE_SCOPE = "role_connections.write";

const INSTALL = { scope: "bot applications.commands", permissions: String(BOT_PERMISSIONS) } as const;

/** Asked even of who said yes before: nobody is to be connected by merely opening an address. */
const MEMBER_LINK = { prompt: "consent" } as const;
