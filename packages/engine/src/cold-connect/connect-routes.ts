import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Transaction } from "@hookline/core";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createRouter } from "../http/router.js";
import { setHeader } from "../http/set-header.js";
import { retryConflicts } from "../storage/conflicts.js";
import { checkAnalytics } from "./analytics.js";
import { bindIn } from "./bind.js";
import { blockPair } from "./block.js";
import { claimToken, findToken, voidToken } from "./confirm-token.js";
import { askPage, type Outcome, outcomePage } from "./connect-page.js";
import type { Binding, ResolvedOptions } from "./options.js";
import { createPageStyle } from "./page-style.js";

const STATUS = {
  success: 200,
  refused: 200,
  used: 410,
  expired: 410,
  voided: 410,
  unknown: 404,
  failed: 503,
} as const satisfies Record<Outcome, number>;
const MAX_FORM_BYTES = 4096;

/** GET shows and changes nothing, so that a mail program may fetch it; POST confirms. */
export function createConnectRoutes(options: ResolvedOptions & { branding: { accentColor: string } }): OpenAPIHono {
  const { connectorId, store } = options;
  const style = createPageStyle(options.branding.accentColor);
  const parts = { ...options, style };
  const path = `/connect/${connectorId}`;
  const policy = `default-src 'none'; style-src ${style.cspSource}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
  const analytics = options.analytics && checkAnalytics(options.analytics);
  const router = createRouter();

  router.use(path, async (c, next) => {
    await next();
    // The page that identifies has said what its script needs.
    if (!c.res.headers.has("content-security-policy")) setHeader(c, "content-security-policy", policy);
    setHeader(c, "cache-control", "no-store");
    setHeader(c, "referrer-policy", "no-referrer");
    setHeader(c, "cross-origin-opener-policy", "same-origin");
  });
  router.use(path, bodyLimit({ maxSize: MAX_FORM_BYTES, onError: (c) => show(c, { outcome: "unknown" }) }));

  async function show(c: Context, { outcome, binding, contactId }: Confirmed): Promise<Response> {
    if (!analytics || !binding || contactId === undefined) {
      return c.html(await outcomePage(parts, { outcome, binding }), STATUS[outcome]);
    }
    c.header(
      "content-security-policy",
      `${policy}; script-src 'self'; connect-src ${analytics.connectSources.join(" ")}`,
    );
    const person = { contactId, platformUserId: binding.platformUserId, identifyPropKey: options.identifyPropKey };
    const identify = { scriptPath: `${connectorId}/identify.js`, data: analytics.dataFor(person) };
    return c.html(await outcomePage(parts, { outcome, binding, identify }), STATUS[outcome]);
  }

  async function failed(c: Context, error: unknown): Promise<Response> {
    store.logger.error({ err: error, connectorId }, "the confirm page failed");
    return show(c, { outcome: "failed" });
  }

  router.get(path, async (c) => {
    try {
      const token = c.req.query("token") ?? "";
      const found = await findToken(options, token);
      if (found.state === "unknown") return await show(c, { outcome: "unknown" });
      if (found.state !== "valid") return await show(c, { outcome: found.state, binding: found.binding });
      return c.html(await askPage(parts, { binding: found.binding, token }));
    } catch (error) {
      return failed(c, error);
    }
  });

  router.post(path, async (c) => {
    try {
      const form = new URLSearchParams(await c.req.text());
      const answer = form.get("answer") === "not-me" ? refuse : confirm;
      return await show(c, await answer(options, form.get("token") ?? ""));
    } catch (error) {
      return failed(c, error);
    }
  });

  if (analytics) {
    router.get(`${path}/identify.js`, (c) => {
      c.header("cache-control", "no-cache");
      return c.body(analytics.script, 200, { "content-type": "text/javascript; charset=utf-8" });
    });
  }

  document(router, path);
  return router;
}

interface Confirmed {
  readonly outcome: Outcome;
  readonly binding?: Binding;
  /** Of who was connected now. */
  readonly contactId?: string;
}

/** Claim, bind, publish and send in one transaction; the loser of a race learns what became of the token. */
async function confirm(options: ResolvedOptions, token: string): Promise<Confirmed> {
  return retryConflicts(() =>
    options.store.database.transaction(async (tx) => {
      const claimed = await claimToken(options, token, tx);
      if (!claimed) return lateFor(options, token, tx);
      const { contactId } = await bindIn(tx, options, { binding: claimed.binding, key: claimed.id });
      return { outcome: "success" as const, binding: claimed.binding, contactId };
    }),
  );
}

/** Ends the link and blocks the pair in one transaction. Whoever holds the token has read the mail. */
async function refuse(options: ResolvedOptions, token: string): Promise<Confirmed> {
  return retryConflicts(() =>
    options.store.database.transaction(async (tx) => {
      const binding = await voidToken(options, token, tx);
      if (!binding) return lateFor(options, token, tx);
      await blockPair(options, binding, tx);
      return { outcome: "refused" as const, binding };
    }),
  );
}

async function lateFor(options: ResolvedOptions, token: string, tx: Transaction): Promise<Confirmed> {
  const found = await findToken(options, token, tx);
  if (found.state === "unknown") return { outcome: "unknown" };
  // A token that is still valid here ran out between the two statements.
  return { outcome: found.state === "valid" ? "expired" : found.state, binding: found.binding };
}

function document(router: OpenAPIHono, path: string): void {
  const page = (description: string) => ({
    description,
    content: { "text/html": { schema: { type: "string" as const } } },
  });
  const responses = {
    404: page("The token is unknown, or another connector's."),
    410: page("The token was used or refused, or has expired."),
    503: page("It failed on our side; nothing was changed."),
  };
  router.openAPIRegistry.registerPath({
    method: "get",
    path,
    tags: ["Connect"],
    summary: "Show the confirm page; changes nothing",
    parameters: [{ name: "token", in: "query", required: true, schema: { type: "string" } }],
    responses: { 200: page("The page that asks."), ...responses },
  });
  router.openAPIRegistry.registerPath({
    method: "post",
    path,
    tags: ["Connect"],
    summary: "Confirm the connection, or say that it was somebody else",
    request: {
      body: {
        content: {
          "application/x-www-form-urlencoded": {
            schema: {
              type: "object",
              required: ["token"],
              properties: {
                token: { type: "string" },
                answer: { type: "string", enum: ["confirm", "not-me"], default: "confirm" },
              },
            },
          },
        },
      },
    },
    responses: { 200: page("The account is connected, or the link was ended."), ...responses },
  });
}
