import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isBearer, oauthRoutes } from "../oauth/oauth-routes.js";
import type { Simulation } from "../simulation.js";
import { applicationRoutes } from "./application-routes.js";
import { commandRoutes } from "./command-routes.js";
import { guildRoutes } from "./guild-routes.js";
import { interactionRoutes } from "./interaction-routes.js";
import { messageRoutes } from "./message-routes.js";
import { REFUSALS, refuse } from "./refusal.js";
import { threadRoutes } from "./thread-routes.js";
import { userRoutes } from "./user-routes.js";
import { webhookRoutes } from "./webhook-routes.js";

/** Discord's REST API under `/api`, `/api/v9` and `/api/v10`. */
export function createRestApp(simulation: Simulation): Hono {
  const app = new Hono({ getPath: (request) => pathOf(request.url) });
  const { world, faults, requests, options } = simulation;

  app.use(async (c, next) => {
    const url = new URL(c.req.url);
    const path = `${url.pathname}${url.search}`;
    const fault = faults.takeFor(path);
    if (fault) {
      c.res = faultResponse(fault);
    } else {
      await next();
    }
    requests.add({
      at: new Date(simulation.now()).toISOString(),
      method: c.req.method,
      path,
      status: c.res.status,
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
  for (const addRoutes of [applicationRoutes, commandRoutes, messageRoutes, threadRoutes, guildRoutes, userRoutes]) {
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

/** Other versions keep theirs, and so are found nowhere. */
function pathOf(url: string): string {
  return new URL(url).pathname.replace(/^\/api(\/v(?:9|10)(?=\/))?/, "");
}

/** Addresses whose token is their authorisation. */
function isOpen(path: string): boolean {
  return /^\/(interactions|webhooks)\/\d+\/[^/]+/.test(path) || OPEN.includes(path);
}

const OPEN: readonly string[] = ["/gateway", "/oauth2/token", "/oauth2/token/revoke"];

/** What a person's own token may read. */
function isPersonal(path: string): boolean {
  return ["/users/@me", "/users/@me/guilds", "/oauth2/@me"].includes(path);
}

interface FaultView {
  readonly status: number;
  readonly retryAfterSeconds?: number | undefined;
  readonly global?: boolean | undefined;
}

function faultResponse({ status, retryAfterSeconds = 1, global = false }: FaultView): Response {
  if (status !== 429) {
    return new Response(`<html><body>${status}</body></html>`, { status, headers: { "content-type": "text/html" } });
  }
  return Response.json(
    { message: "You are being rate limited.", retry_after: retryAfterSeconds, global },
    {
      status: 429,
      headers: {
        "retry-after": String(Math.ceil(retryAfterSeconds)),
        "x-ratelimit-reset-after": String(retryAfterSeconds),
        "x-ratelimit-scope": global ? "global" : "user",
        ...(global ? { "x-ratelimit-global": "true" } : { "x-ratelimit-remaining": "0", "x-ratelimit-limit": "5" }),
      },
    },
  );
}
