import { type Clock, type ConnectorContext, type ConnectorRoute, problemResponse } from "@hookline/core";
import type { OAuth, OAuthOutcome } from "./oauth.js";
import { OAUTH_DEFAULTS, type OAuthLink, type OAuthPurpose, type OAuthStates } from "./oauth-state.js";
import type { PageLink, Pages } from "./pages.js";
import { adviceOn, OAUTH_REFUSALS, type OAuthRefusalCode } from "./refusals.js";
import { isSameOrigin, readFields } from "./request-form.js";

export interface OAuthRoutesOptions {
  readonly oauth: OAuth;
  readonly states: OAuthStates;
  readonly pages: Pages;
  readonly redirectUri: string;
  /** Where an operator's browser ends after an installation; null shows a page instead. */
  readonly studioIntegrationsUrl: string | null;
  readonly clock: Clock;
}

/** What Discord, or a page that got it from Discord, hands back. */
interface Callback {
  readonly code: string | null;
  readonly state: string | null;
  readonly error: string | null;
}

type Finished = Extract<OAuthOutcome, { ok: true }> | Refused;

interface Refused {
  readonly ok: false;
  readonly code: OAuthRefusalCode;
  readonly purpose: OAuthPurpose["purpose"] | null;
  /** Absent where nobody can tell whose round it was. */
  readonly started?: OAuthLink;
}

const PATHS = { start: "/oauth/start", callback: "/oauth/callback" } as const;

/**
 * `/oauth/start`: GET shows what a link is for and changes nothing, POST begins. `/oauth/callback`: GET for the browser
 * that comes from Discord, POST with the same fields for a page of ours.
 */
export function createOAuthRoutes(options: OAuthRoutesOptions): readonly ConnectorRoute[] {
  const { clock, oauth, states, pages } = options;
  const ownOrigin = new URL(options.redirectUri).origin;

  function readLink(token: string | null): { readonly link: OAuthLink } | { readonly response: Response } {
    const read = states.readLink(token ?? "", clock.now());
    if (read.ok) return { link: read.link };
    return { response: pages.advice(OAUTH_REFUSALS[read.code].status, adviceOn(read.code, null), null) };
  }

  async function showStart(request: Request): Promise<Response> {
    const token = new URL(request.url).searchParams.get("link");
    const read = readLink(token);
    return "response" in read ? read.response : pages.start(read.link, token ?? "");
  }

  /** Only from the page before: a form on another site must not lead past what that page says. */
  async function begin(request: Request): Promise<Response> {
    const read = readLink((await readFields(request))?.get("link") ?? null);
    if ("response" in read) return read.response;
    if (!isSameOrigin(request, ownOrigin)) {
      const again = oauth.tryAgainUrl(read.link);
      const next = again === null ? null : { url: again, label: "See what this is about" };
      return pages.advice(OAUTH_REFUSALS.cross_site.status, adviceOn("cross_site", read.link.purpose), next);
    }
    const { url, setCookie } = oauth.begin(read.link);
    return new Response(null, { status: 303, headers: { location: url, "set-cookie": setCookie, ...NO_STORE } });
  }

  async function finish(callback: Callback, request: Request, context: ConnectorContext): Promise<Finished> {
    const cookie = readCookie(request.headers.get("cookie"), OAUTH_DEFAULTS.cookieName);
    const state = states.check({ state: callback.state, cookie }, clock.now());
    if (!state.ok) return state;
    const { started, nonce } = state;
    const refuse = (code: OAuthRefusalCode): Refused => ({ ok: false, code, purpose: started.purpose, started });
    if (!(await context.acceptOnce(`discord.oauth:${nonce}`, OAUTH_DEFAULTS.stateTtlSeconds))) {
      return refuse("state_used");
    }
    if (callback.error === "access_denied") return refuse("access_denied");
    if (callback.error !== null || callback.code === null) return refuse("authorization_failed");
    try {
      const outcome = await oauth.finish({ started, nonce, code: callback.code }, context.outbox);
      return outcome.ok ? outcome : refuse(outcome.reason);
    } catch (error) {
      context.logger.error({ purpose: started.purpose, err: error }, "an OAuth round could not be finished");
      return refuse("exchange_failed");
    }
  }

  async function handleGet(request: Request, context: ConnectorContext): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const callback = { code: query.get("code"), state: query.get("state"), error: query.get("error") };
    const finished = await finish(callback, request, context);
    return finished.ok ? succeeded(finished) : refused(finished);
  }

  async function handlePost(request: Request, context: ConnectorContext): Promise<Response> {
    const fields = await readFields(request);
    if (fields === null)
      return problemResponse({
        status: 400,
        code: "invalid_body",
        detail: "The body is a form or a JSON object of texts.",
      });
    const text = (name: string) => fields.get(name) ?? null;
    const callback = { code: text("code"), state: text("state"), error: text("error") };
    const finished = await finish(callback, request, context);
    if (finished.ok) {
      const { ok: _ok, ...outcome } = finished;
      return ended(Response.json(outcome));
    }
    const { status, detail } = OAUTH_REFUSALS[finished.code];
    return ended(problemResponse({ status, code: finished.code, detail }));
  }

  /** The round is over, whatever came of it. */
  function ended(response: Response): Response {
    response.headers.append("set-cookie", oauth.clearCookie);
    return response;
  }

  function succeeded(outcome: Extract<OAuthOutcome, { ok: true }>): Response {
    if (outcome.purpose === "member_link") {
      const text = `Your Discord account ${outcome.userName} is connected. You can close this page.`;
      return pages.done({ title: "Connected", text, next: null });
    }
    if (outcome.purpose === "linked_role") {
      const { userName } = outcome;
      if (!outcome.linked) return pages.askAddress({ userName, ticket: outcome.ticket, refusal: null });
      const text = `Discord is told what it may know of ${userName}. Go back to it: the role is yours in a moment, if you fulfil what it asks for.`;
      return pages.done({ title: "Connected", text, next: null });
    }
    if (options.studioIntegrationsUrl !== null) {
      const url = new URL(options.studioIntegrationsUrl);
      url.searchParams.set("discord", "installed");
      url.searchParams.set("guild_id", outcome.guild.id);
      return new Response(null, { status: 303, headers: { location: url.href, ...NO_STORE } });
    }
    const text = `The bot is in the server ${outcome.guild.name ?? outcome.guild.id}. You can close this page.`;
    return pages.done({ title: "Installed", text, next: null });
  }

  function refused({ code, purpose, started }: Refused): Response {
    const again = started === undefined || NO_USE_AGAIN.has(code) ? null : oauth.tryAgainUrl(started);
    const next: PageLink | null = again === null ? null : { url: again, label: "Try again" };
    return pages.advice(OAUTH_REFUSALS[code].status, adviceOn(code, purpose), next);
  }

  const route = { rateLimited: true, maxBodyBytes: 16 * 1024 } as const;
  return [
    {
      ...route,
      path: PATHS.start,
      method: "GET",
      summary: "Shows what a link installs or connects; changes nothing",
      handle: showStart,
    },
    {
      ...route,
      path: PATHS.start,
      method: "POST",
      summary: "Begins an installation or a member link, and leads to Discord",
      handle: begin,
    },
    {
      ...route,
      path: PATHS.callback,
      method: "GET",
      summary: "Ends an installation or a member link",
      handle: async (request, context) => ended(await handleGet(request, context)),
    },
    {
      ...route,
      path: PATHS.callback,
      method: "POST",
      summary: "Ends an installation or a member link, for a page",
      handle: handlePost,
    },
  ];
}

const NO_STORE = { "cache-control": "no-store", "referrer-policy": "no-referrer" } as const;

/** The same link would end the same way. */
const NO_USE_AGAIN: ReadonlySet<OAuthRefusalCode> = new Set(["link_used"]);

function readCookie(header: string | null, name: string): string | null {
  for (const part of (header ?? "").split(";")) {
    const [key, ...value] = part.trim().split("=");
    if (key === name) return value.join("=");
  }
  return null;
}
