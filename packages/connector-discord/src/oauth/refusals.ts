import type { OAuthPurpose } from "./oauth-state.js";
import type { Advice } from "./pages.js";

/** Why a round did not begin, or did not end well. */
export type OAuthRefusalCode =
  | "link_invalid"
  | "link_expired"
  | "link_used"
  | "cross_site"
  | "state_missing"
  | "state_invalid"
  | "state_expired"
  | "browser_mismatch"
  | "state_used"
  | "access_denied"
  | "authorization_failed"
  | "exchange_failed"
  | "ticket_invalid"
  | "tenant_missing"
  | "guild_taken";

export interface OAuthRefusal {
  readonly status: 400 | 403 | 404 | 409 | 410 | 502;
  readonly detail: string;
  readonly todo: string;
}

const NEW_LINK = "Ask for a new link where you got this one.";
const SAME_LINK = "Open the link that you were given once more, in one browser, and stay in it.";

/** What each refusal is answered with, and what a person can do about it. */
export const OAUTH_REFUSALS: Readonly<Record<OAuthRefusalCode, OAuthRefusal>> = {
  link_invalid: { status: 400, detail: "This link is incomplete, or it is not one of ours.", todo: NEW_LINK },
  link_expired: { status: 410, detail: "This link worked for 15 minutes, which are over.", todo: NEW_LINK },
  link_used: { status: 409, detail: "This link has connected another Discord account before.", todo: NEW_LINK },
  cross_site: { status: 403, detail: "Another site has sent you here.", todo: SAME_LINK },
  state_missing: { status: 400, detail: "The callback has no state.", todo: SAME_LINK },
  state_invalid: { status: 400, detail: "The state was not issued here.", todo: SAME_LINK },
  state_expired: { status: 400, detail: "This took longer than ten minutes.", todo: SAME_LINK },
  browser_mismatch: {
    status: 400,
    detail: "This was started in another browser, or once more since.",
    todo: SAME_LINK,
  },
  state_used: { status: 409, detail: "This page was opened before.", todo: "If it did not work then, begin again." },
  access_denied: {
    status: 403,
    detail: "Access was not granted: somebody pressed Cancel at Discord.",
    todo: "If that was a mistake, try again and press Authorize. Otherwise there is nothing to do.",
  },
  authorization_failed: { status: 400, detail: "Discord sent no code.", todo: SAME_LINK },
  exchange_failed: {
    status: 502,
    detail: "Something failed between us and Discord, and nothing was changed.",
    todo: "Wait a moment and try again.",
  },
  ticket_invalid: {
    status: 410,
    detail: "This page worked for 15 minutes, which are over.",
    todo: "Begin again, or run /link in Discord.",
  },
  tenant_missing: {
    status: 404,
    detail: "Nobody's members are connected here.",
    todo: "Tell those who run the Discord server that you came from.",
  },
  guild_taken: {
    status: 409,
    detail: "This Discord server belongs to another account here.",
    todo: "Whoever set it up has to disconnect it first, or choose another server.",
  },
};

const TITLES = { install: "Not installed", linked_role: "Not connected", member_link: "Not connected" } as const;

export function adviceOn(code: OAuthRefusalCode, purpose: OAuthPurpose["purpose"] | null): Advice {
  const { detail, todo } = OAUTH_REFUSALS[code];
  return { title: TITLES[purpose ?? "member_link"], text: detail, todo };
}
