import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** What an OAuth round was started for; for a member link with the address that the link was issued for. */
export type OAuthPurpose =
  | { readonly purpose: "install"; readonly tenantId: string }
  | { readonly purpose: "member_link"; readonly tenantId: string; readonly email: string };

/** Why a callback's state is refused. */
export type OAuthStateFault = "state_missing" | "state_invalid" | "state_expired" | "browser_mismatch";

export type OAuthStateResult =
  | { readonly ok: true; readonly started: OAuthPurpose; readonly nonce: string }
  | { readonly ok: false; readonly code: OAuthStateFault; readonly purpose: OAuthPurpose["purpose"] | null };

export interface OAuthStates {
  /** `state` travels by way of Discord, `cookie` stays in the browser; each is worth nothing without the other. */
  issue(started: OAuthPurpose, nowMs: number): { readonly state: string; readonly cookie: string };
  check(received: { readonly state: string | null; readonly cookie: string | null }, nowMs: number): OAuthStateResult;
}

export const OAUTH_DEFAULTS = {
  stateTtlSeconds: 600,
  cookieName: "hookline_discord_oauth",
} as const satisfies Record<string, string | number>;

const keptSchema = z.discriminatedUnion("purpose", [
  z.object({ purpose: z.literal("install"), tenantId: z.string(), nonce: z.string(), expiresMs: z.number() }),
  z.object({
    purpose: z.literal("member_link"),
    tenantId: z.string(),
    email: z.string(),
    nonce: z.string(),
    expiresMs: z.number(),
  }),
]);

/**
 * The state parameter is a signed nonce with its expiry; what the round is for, also the address, stays in a signed
 * cookie, so that neither Discord nor a log along the way sees it, and a stolen URL does nothing in another browser.
 */
export function createOAuthStates(secret: string): OAuthStates {
  const mac = (label: string, text: string) =>
    createHmac("sha256", secret).update(`oauth_${label}:${text}`).digest("base64url");
  const seal = (label: string, text: string) => `${text}.${mac(label, text)}`;
  const refuse = (code: OAuthStateFault, purpose: OAuthPurpose["purpose"] | null): OAuthStateResult => ({
    ok: false,
    code,
    purpose,
  });
  const open = (label: string, sealed: string): string | null => {
    const end = sealed.lastIndexOf(".");
    const text = sealed.slice(0, Math.max(end, 0));
    return end > 0 && same(sealed.slice(end + 1), mac(label, text)) ? text : null;
  };

  return {
    issue(started, nowMs) {
      const nonce = randomBytes(16).toString("base64url");
      const expiresMs = nowMs + OAUTH_DEFAULTS.stateTtlSeconds * 1_000;
      const kept = Buffer.from(JSON.stringify({ ...started, nonce, expiresMs })).toString("base64url");
      return { state: seal("state", `${nonce}.${expiresMs}.${started.purpose}`), cookie: seal("cookie", kept) };
    },
    check({ state, cookie }, nowMs) {
      if (state === null || state === "") return refuse("state_missing", null);
      const opened = open("state", state);
      if (opened === null) return refuse("state_invalid", null);
      const [nonce = "", expiresMs = "", purposeText] = opened.split(".");
      const purpose = purposeText === "install" ? "install" : "member_link";
      if (Number(expiresMs) <= nowMs) return refuse("state_expired", purpose);
      const kept = cookie === null ? null : open("cookie", cookie);
      if (kept === null) return refuse("browser_mismatch", purpose);
      const started = keptSchema.parse(JSON.parse(Buffer.from(kept, "base64url").toString("utf8")));
      if (!same(started.nonce, nonce)) return refuse("browser_mismatch", purpose);
      return { ok: true, nonce, started };
    },
  };
}

function same(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
