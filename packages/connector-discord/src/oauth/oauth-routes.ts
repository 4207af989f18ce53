import { type Clock, type ConnectorContext, type ConnectorRoute, problemResponse } from "@hookline/core";
import type { OAuth, OAuthOutcome } from "./oauth.js";
import { OAUTH_DEFAULTS, type OAuthStates } from "./oauth-state.js";

export interface OAuthRoutesOptions {
  readonly oauth: OAuth;
  readonly states: OAuthStates;
  readonly studioIntegrationsUrl: string;
  readonly clock: Clock;
}

/** What Discord, or a page that got it from Discord, hands back. */
interface Callback {
  readonly code: string | null;
  readonly state: string | null;
  readonly error: string | null;
}

type Finished = { readonly ok: true; readonly outcome: OAuthOutcome } | Refused;

interface Refused {
  readonly ok: false;
  readonly status: 400 | 403 | 409 | 502;
  readonly code: string;
  readonly detail: string;
  readonly purpose: "install" | "member_link" | null;
}

const FAULTS = {
  state_missing: "The callback has no state.",
  state_invalid: "The state was not issued here.",
  state_expired: "This took too long; start again.",
  browser_mismatch: "This was started in another browser.",
} as const;

/** `/oauth/callback`: GET for the browser that comes from Discord, POST with the same fields for a page of ours. */
export function createOAuthRoutes(options: OAuthRoutesOptions): readonly ConnectorRoute[] {
  const { clock } = options;

  async function finish(callback: Callback, request: Request, context: ConnectorContext): Promise<Finished> {
    const cookie = readCookie(request.headers.get("cookie"), OAUTH_DEFAULTS.cookieName);
    const state = options.states.check({ state: callback.state, cookie }, clock.now());
    if (!state.ok) return { ...state, status: 400, detail: FAULTS[state.code] };
    const { purpose } = state.started;
    if (!(await context.acceptOnce(`discord.oauth:${state.nonce}`, OAUTH_DEFAULTS.stateTtlSeconds))) {
      return { ok: false, status: 409, code: "state_used", detail: "This link was used already.", purpose };
    }
    if (callback.error === "access_denied") {
      return { ok: false, status: 403, code: "access_denied", detail: "Access was not granted.", purpose };
    }
    if (callback.error !== null || callback.code === null) {
      return { ok: false, status: 400, code: "authorization_failed", detail: "Discord sent no code.", purpose };
    }
    try {
      return { ok: true, outcome: await options.oauth.finish(state.started, callback.code) };
    } catch (error) {
      context.logger.error({ purpose, err: error }, "an OAuth round could not be finished");
      return { ok: false, status: 502, code: "exchange_failed", detail: "It could not be finished.", purpose };
    }
  }

  async function handleGet(request: Request, context: ConnectorContext): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const callback = { code: query.get("code"), state: query.get("state"), error: query.get("error") };
    return toBrowser(await finish(callback, request, context));
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
    if (!finished.ok)
      return ended(problemResponse({ status: finished.status, code: finished.code, detail: finished.detail }));
    return ended(Response.json(finished.outcome));
  }

  /** The round is over, whatever came of it. */
  function ended(response: Response): Response {
    response.headers.append("set-cookie", options.oauth.clearCookie);
    return response;
  }

  function toBrowser(finished: Finished): Response {
    const isLink = finished.ok ? finished.outcome.purpose === "member_link" : finished.purpose === "member_link";
    if (isLink) return memberPage(finished);
    const url = new URL(options.studioIntegrationsUrl);
    url.searchParams.set("discord", finished.ok ? "installed" : "error");
    if (!finished.ok) url.searchParams.set("code", finished.code);
    if (finished.ok && finished.outcome.purpose === "install") {
      url.searchParams.set("guild_id", finished.outcome.guild.id);
    }
    return new Response(null, { status: 303, headers: { location: url.href, ...NO_STORE } });
  }

  const route = { path: "/oauth/callback", rateLimited: true, maxBodyBytes: 16 * 1024 } as const;
  return [
    {
      ...route,
      method: "GET",
      summary: "Ends an installation or a member link",
      handle: async (request, context) => ended(await handleGet(request, context)),
    },
    { ...route, method: "POST", summary: "Ends an installation or a member link, for a page", handle: handlePost },
  ];
}

const NO_STORE = { "cache-control": "no-store", "referrer-policy": "no-referrer" } as const;

/** A member has no Studio to go back to. */
function memberPage(finished: Finished): Response {
  const done = finished.ok && finished.outcome.purpose === "member_link";
  const title = done ? "Connected" : "Not connected";
  const text = done
    ? `Your Discord account ${escapeHtml(finished.outcome.userName)} is connected. You can close this page.`
    : `Your Discord account was not connected. ${escapeHtml(finished.ok ? "" : finished.detail)}`;
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><body><h1>${title}</h1><p>${text}</p></body></html>`;
  return new Response(html, {
    status: finished.ok ? 200 : finished.status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      ...NO_STORE,
    },
  });
}

async function readFields(request: Request): Promise<ReadonlyMap<string, string> | null> {
  const text = await request.text();
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    return new Map(new URLSearchParams(text));
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return null;
    return new Map(Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return null;
  }
}

function readCookie(header: string | null, name: string): string | null {
  for (const part of (header ?? "").split(";")) {
    const [key, ...value] = part.trim().split("=");
    if (key === name) return value.join("=");
  }
  return null;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
