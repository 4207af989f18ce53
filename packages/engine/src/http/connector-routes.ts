import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Connector, ConnectorContext, ConnectorRoute } from "@hookline/core";
import type { Engine } from "../engine.js";
import { createRateLimiter, type RateLimiter } from "../storage/rate-limiter.js";
import { createSharedState } from "../storage/shared-state.js";
import { limitBody } from "./limit-body.js";
import { problemResponses } from "./problem.js";
import { createRouter } from "./router.js";

export const CONNECTORS_PATH = "/v1/connectors";

/** Each connector's routes, which get the request as it came: what a signature covers is not touched. */
export function createConnectorRoutes(engine: Engine): OpenAPIHono {
  const router = createRouter();
  for (const connector of engine.parts.connectors) {
    const context = contextFor(engine, connector);
    for (const route of connector.routes) mount(router, { connector, route, context });
  }
  return router;
}

/** `POST /v1/connectors/discord/ingress` … of the routes that prove their caller by a signature. */
export function exemptRoutes(connectors: readonly Connector[]): ReadonlySet<string> {
  return new Set(
    connectors.flatMap((connector) =>
      connector.routes
        .filter((route) => !route.rateLimited)
        .map((route) => `${route.method} ${pathOf(connector, route)}`),
    ),
  );
}

interface Mounted {
  readonly connector: Connector;
  readonly route: ConnectorRoute;
  readonly context: ConnectorContext;
}

function mount(router: OpenAPIHono, { connector, route, context }: Mounted): void {
  const path = pathOf(connector, route);
  router.on(route.method, path, limitBody(route.maxBodyBytes), (c) => route.handle(c.req.raw, context));
  router.openAPIRegistry.registerPath({
    method: route.method === "GET" ? "get" : "post",
    path,
    tags: [`Connector ${connector.id}`],
    summary: route.summary,
    responses: {
      200: { description: "The connector's answer." },
      ...problemResponses({
        413: "The body is too large.",
        ...(route.rateLimited ? { 429: "Too many requests from this address." } : {}),
      }),
    },
  });
}

function contextFor({ ingest, acceptOnce, parts: { outbox, store } }: Engine, { id }: Connector): ConnectorContext {
  return {
    state: createSharedState(store, id),
    outbox,
    ingest,
    transaction: store.database.transaction,
    logger: store.logger,
    acceptOnce: (key, ttlSeconds, options) => acceptOnce(JSON.stringify([id, key]), ttlSeconds, options),
    countUse: createUseCounter(store, id),
  };
}

/** One limiter for each pair of limits: a connector declares a few. */
function createUseCounter(store: Engine["parts"]["store"], connectorId: string): ConnectorContext["countUse"] {
  const limiters = new Map<string, RateLimiter>();
  return async ({ key, max, windowSeconds }) => {
    const name = `uses-${max}-${windowSeconds}`;
    const limiter = limiters.get(name) ?? createRateLimiter(store, { name, max, windowSeconds });
    limiters.set(name, limiter);
    const { allowed, resetMs } = await limiter.consume(JSON.stringify([connectorId, key]));
    return { allowed, resetMs };
  };
}

function pathOf({ id }: Connector, { path }: ConnectorRoute): string {
  return `${CONNECTORS_PATH}/${id}${path}`;
}
