import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createRouter } from "../http/router.js";
import { retryConflicts } from "../storage/conflicts.js";
import { bindIn } from "./bind.js";
import { claimToken, findToken } from "./confirm-token.js";
import { askPage, type Outcome, outcomePage } from "./connect-page.js";
import type { Binding, ResolvedOptions } from "./options.js";
import { createPageStyle } from "./page-style.js";

const STATUS = { success: 200, used: 410, expired: 410, unknown: 404, failed: 503 } as const satisfies Record<
  Outcome,
  number
>;
const MAX_FORM_BYTES = 4096;

/** GET shows and changes nothing, so that a mail program may fetch it; POST confirms. */
export function createConnectRoutes(options: ResolvedOptions & { branding: { accentColor: string } }): OpenAPIHono {
  const { connectorId, store } = options;
  const style = createPageStyle(options.branding.accentColor);
  const parts = { ...options, style };
  const path = `/connect/${connectorId}`;
  const router = createRouter();

  router.use(path, async (c, next) => {
    await next();
    c.header(
      "content-security-policy",
      `default-src 'none'; style-src ${style.cspSource}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    c.header("cache-control", "no-store");
    c.header("referrer-policy", "no-referrer");
    c.header("cross-origin-opener-policy", "same-origin");
  });
  router.use(path, bodyLimit({ maxSize: MAX_FORM_BYTES, onError: (c) => show(c, { outcome: "unknown" }) }));

  async function show(c: Context, result: { outcome: Outcome; binding?: Binding }): Promise<Response> {
    return c.html(await outcomePage(parts, result), STATUS[result.outcome]);
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
      return await show(c, await confirm(options, form.get("token") ?? ""));
    } catch (error) {
      return failed(c, error);
    }
  });

  document(router, path);
  return router;
}

/** Claim, bind, publish and send in one transaction; the loser of a race learns what became of the token. */
async function confirm(options: ResolvedOptions, token: string): Promise<{ outcome: Outcome; binding?: Binding }> {
  return retryConflicts(() =>
    options.store.database.transaction(async (tx) => {
      const claimed = await claimToken(options, token, tx);
      if (claimed) {
        await bindIn(tx, options, { binding: claimed.binding, key: claimed.id });
        return { outcome: "success" as const, binding: claimed.binding };
      }
      const found = await findToken(options, token, tx);
      if (found.state === "unknown") return { outcome: "unknown" as const };
      // A token that is still valid here ran out between the two statements.
      return { outcome: found.state === "used" ? ("used" as const) : ("expired" as const), binding: found.binding };
    }),
  );
}

function document(router: OpenAPIHono, path: string): void {
  const page = (description: string) => ({
    description,
    content: { "text/html": { schema: { type: "string" as const } } },
  });
  const responses = {
    404: page("The token is unknown, or another connector's."),
    410: page("The token was used, or has expired."),
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
    summary: "Confirm the connection",
    request: {
      body: {
        content: {
          "application/x-www-form-urlencoded": {
            schema: { type: "object", required: ["token"], properties: { token: { type: "string" } } },
          },
        },
      },
    },
    responses: { 200: page("The account is connected."), ...responses },
  });
}
