import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { createSeals } from "./seals.js";

/**
 * What an OAuth round is started for; for a member link with the address that the link was issued for. `linked_role` is
 * for a member whose address is known, or will be asked for.
 */
export type OAuthPurpose =
  | { readonly purpose: "install"; readonly tenantId: string }
  | { readonly purpose: "linked_role"; readonly tenantId: string }
  | { readonly purpose: "member_link"; readonly tenantId: string; readonly email: string };

/** An {@link OAuthPurpose} as a link carries it: several rounds may begin with one link, and one of them ends it. */
export type OAuthLink = OAuthPurpose & { readonly linkId: string; readonly linkExpiresMs: number };

/** Why a callback's state is refused. */
export type OAuthStateFault = "state_missing" | "state_invalid" | "state_expired" | "browser_mismatch";

export type OAuthStateResult =
  | { readonly ok: true; readonly started: OAuthLink; readonly nonce: string }
  | { readonly ok: false; readonly code: OAuthStateFault; readonly purpose: OAuthPurpose["purpose"] | null };

export type OAuthLinkResult =
  | { readonly ok: true; readonly link: OAuthLink }
  | { readonly ok: false; readonly code: "link_invalid" | "link_expired" };

/** One round: `state` travels by way of Discord, `cookie` stays in the browser; each is worth nothing without the other. */
export interface OAuthRound {
  readonly state: string;
  readonly cookie: string;
  /** PKCE, S256. */
  readonly codeChallenge: string;
}

export interface OAuthStates {
  issueLink(purpose: OAuthPurpose, nowMs: number): { readonly link: OAuthLink; readonly token: string };
  /** The same link once more, for another try. */
  tokenOf(link: OAuthLink): string;
  readLink(token: string, nowMs: number): OAuthLinkResult;
  begin(link: OAuthLink, nowMs: number): OAuthRound;
  check(received: { readonly state: string | null; readonly cookie: string | null }, nowMs: number): OAuthStateResult;
  /** What proves to Discord that the code came to who began the round. It never leaves the server before. */
  codeVerifier(nonce: string): string;
}

export const OAUTH_DEFAULTS = {
  stateTtlSeconds: 600,
  linkTtlSeconds: 900,
  cookieName: "hookline_discord_oauth",
} as const satisfies Record<string, string | number>;

const linkFields = { tenantId: z.string(), linkId: z.string(), linkExpiresMs: z.number() };
const roundFields = { nonce: z.string(), expiresMs: z.number() };
const installFields = { purpose: z.literal("install"), ...linkFields };
const linkedRoleFields = { purpose: z.literal("linked_role"), ...linkFields };
const memberFields = { purpose: z.literal("member_link"), email: z.string(), ...linkFields };

const linkSchema = z.discriminatedUnion("purpose", [
  z.object(installFields),
  z.object(linkedRoleFields),
  z.object(memberFields),
]);
const keptSchema = z.discriminatedUnion("purpose", [
  z.object({ ...installFields, ...roundFields }),
  z.object({ ...linkedRoleFields, ...roundFields }),
  z.object({ ...memberFields, ...roundFields }),
]);
const stateSchema = z.object({ purpose: z.enum(["install", "linked_role", "member_link"]), ...roundFields });

/**
 * The state parameter is a sealed nonce with its expiry; what the round is for, also the address, stays in a sealed
 * cookie, so that neither Discord nor a log along the way sees it, and a stolen URL does nothing in another browser.
 */
export function createOAuthStates(secret: string): OAuthStates {
  const seals = createSeals(secret);
  const codeVerifier = (nonce: string) => seals.derive("code_verifier", nonce);
  const refuse = (code: OAuthStateFault, purpose: OAuthPurpose["purpose"] | null): OAuthStateResult => ({
    ok: false,
    code,
    purpose,
  });

  return {
    codeVerifier,
    tokenOf: (link) => seals.seal("link", link),
    issueLink(purpose, nowMs) {
      const linkExpiresMs = nowMs + OAUTH_DEFAULTS.linkTtlSeconds * 1_000;
      const link = { ...purpose, linkId: randomBytes(16).toString("base64url"), linkExpiresMs };
      return { link, token: seals.seal("link", link) };
    },
    readLink(token, nowMs) {
      const parsed = linkSchema.safeParse(seals.open("link", token));
      if (!parsed.success) return { ok: false, code: "link_invalid" };
      if (parsed.data.linkExpiresMs <= nowMs) return { ok: false, code: "link_expired" };
      return { ok: true, link: parsed.data };
    },
    begin(link, nowMs) {
      const nonce = randomBytes(16).toString("base64url");
      const expiresMs = nowMs + OAUTH_DEFAULTS.stateTtlSeconds * 1_000;
      return {
        state: seals.seal("state", { nonce, expiresMs, purpose: link.purpose }),
        cookie: seals.seal("cookie", { ...link, nonce, expiresMs }),
        codeChallenge: createHash("sha256").update(codeVerifier(nonce)).digest("base64url"),
      };
    },
    check({ state, cookie }, nowMs) {
      if (state === null || state === "") return refuse("state_missing", null);
      const opened = stateSchema.safeParse(seals.open("state", state));
      if (!opened.success) return refuse("state_invalid", null);
      const { nonce, expiresMs, purpose } = opened.data;
      if (expiresMs <= nowMs) return refuse("state_expired", purpose);
      const kept = keptSchema.safeParse(cookie === null ? null : seals.open("cookie", cookie));
      if (!kept.success || !same(kept.data.nonce, nonce)) return refuse("browser_mismatch", purpose);
      return { ok: true, nonce, started: linkSchema.parse(kept.data) };
    },
  };
}

function same(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
