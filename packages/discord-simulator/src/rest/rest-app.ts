import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isBearer, oauthRoutes } from "../oauth/oauth-routes.js";
import { roleConnectionRoutes } from "../oauth/role-connection-routes.js";
import type { Simulation } from "../simulation.js";
import { applicationRoutes } from "./application-routes.js";
import { auditLogRoutes } from "./audit-log-routes.js";
import { commandRoutes } from "./command-routes.js";
import { guildRoutes } from "./guild-routes.js";
import { interactionRoutes } from "./interaction-routes.js";
import { messageRoutes } from "./message-routes.js";
import type { Limited } from "./rate-limits.js";
import { REFUSALS, refuse } from "./refusal.js";
import { threadRoutes } from "./thread-routes.js";
import { userRoutes } from "./user-routes.js";
import { webhookRoutes } from "./webhook-routes.js";

/** Discord's REST API under `/api`, `/api/v9` and `/api/v10`. */
export function createRestApp(simulation: Simulation): Hono {
  const app = new Hono({ getPath: (request) => pathOf(request.url) });
  const { world, faults, requests, options, rateLimits } = simulation;

  app.use(async (c, next) => {
    const url = new URL(c.req.url);
    const path = `${url.pathname}${url.search}`;
    const { method } = c.req;
    const limited = { method, path: c.req.path, authorization: c.req.header("authorization") };
    await faults.waitFor(path);
    const fault = faults.takeFor(path);
    const limit = fault ? null : rateLimits.take(limited);
    if (fault) {
      c.res = faultResponse(fault);
    } else if (limit) {
      c.res = limitResponse(limit);
    } else {
      await next();
    }
    if (fault === undefined && limit?.scope !== "banned") {
      for (const [name, value] of Object.entries(rateLimits.headers(limited))) {
        c.res.headers.set(name, value);
      }
    }
    const { status } = c.res;
    if (status === 401 || status === 403 || (status === 429 && isOwnLimit(fault?.scope ?? limit?.scope))) {
      rateLimits.countInvalid();
    }
    requests.add({
      at: new Date(simulation.now()).toISOString(),
      method,
      path,
      status,
    });
  });

  app.use(async (c, next) => {
    if (
      !isOpen(c.req.path) &&
      !(isBearer(c) && isPersonal(c.req.path)) &&
      c.req.header("authorization") !== `Bot ${world.application.botToken}`
    ) {
      throw refuse(REFUSALS.unauthorized);
    }
    await next();
  });

  // The addresses of follow-ups are those of webhooks with the application's own id: they have to come first.
  interactionRoutes(app, simulation);
  webhookRoutes(app, simulation);
  oauthRoutes(app, simulation);
  roleConnectionRoutes(app, simulation);
  for (const addRoutes of ROUTES) {
    addRoutes(app, simulation);
  }

  app.notFound(() => refuse(REFUSALS.general).getResponse());
  app.onError((error) => {
    if (error instanceof HTTPException) {
      return error.getResponse();
    }
    options.logger.error({ err: error }, "a simulated route failed");
    return refuse({ status: 500, code: 0, message: "500: Internal Server Error" }).getResponse();
  });
  return app;
}

const ROUTES = [
  applicationRoutes,
  commandRoutes,
  messageRoutes,
  threadRoutes,
  guildRoutes,
  auditLogRoutes,
  userRoutes,
] as const;

/** Other versions keep theirs, and so are found nowhere. */
function pathOf(url: string): string {
  return new URL(url).pathname.replace(/^\/api(\/v(?:9|10)(?=\/))?/, "");
}

/** Addresses whose token is their authorisation. */
function isOpen(path: string): boolean {
  return /^\/(interactions|webhooks)\/\d+\/[^/]+/.test(path) || OPEN.includes(path);
}

const OPEN: readonly string[] = ["/gateway", "/oauth2/token", "/oauth2/token/revoke"];

/** What a person's own token is good for. */
function isPersonal(path: string): boolean {
  return (
    ["/users/@me", "/users/@me/guilds", "/oauth2/@me"].includes(path) ||
    /^\/users\/@me\/applications\/\d+\/role-connection$/.test(path)
  );
}

interface FaultView {
  readonly status: number;
  readonly retryAfterSeconds?: number | undefined;
  readonly scope?: "user" | "global" | "shared" | undefined;
}

function faultResponse({ status, retryAfterSeconds = 1, scope = "user" }: FaultView): Response {
  if (status === 429) {
    return tooManyRequests(retryAfterSeconds, scope);
  }
  return new Response(`<html><body>${status}</body></html>`, { status, headers: { "content-type": "text/html" } });
}

function limitResponse({ scope, retryAfterSeconds }: Limited): Response {
  if (scope !== "banned") {
    return tooManyRequests(retryAfterSeconds, scope);
  }
  // Not Discord answers then, but what stands before it: with a page, and none of Discord's headers.
  return new Response("<html><body>error code: 1015</body></html>", {
    status: 429,
    headers: { "content-type": "text/html", "retry-after": String(Math.ceil(retryAfterSeconds)) },
  });
}

function tooManyRequests(retryAfterSeconds: number, scope: "user" | "global" | "shared"): Response {
  return Response.json(
    { message: "You are being rate limited.", retry_after: retryAfterSeconds, global: scope === "global" },
    {
      status: 429,
      headers: {
        "retry-after": String(Math.ceil(retryAfterSeconds)),
        "x-ratelimit-reset-after": retryAfterSeconds.toFixed(3),
        "x-ratelimit-scope": scope,
        ...(scope === "global"
          ? { "x-ratelimit-global": "true" }
          : { "x-ratelimit-remaining": "0", "x-ratelimit-limit": "5" }),
      },
    },
  );
}

/** Others' use of what is shared is nobody's fault, and a banned address can do no worse. */
function isOwnLimit(scope: string | undefined): boolean {
  return scope !== "shared" && scope !== "banned";
}
