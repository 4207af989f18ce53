import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Logger } from "@hookline/core";
import type { Hono } from "hono";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { createSourceRoutes } from "../sources/source-routes.js";
import { createRateLimiter } from "../storage/rate-limiter.js";
import { createAccessRoutes } from "./access-routes.js";
import { createAutomationRoutes } from "./automation-routes.js";
import { CONNECTORS_PATH, createConnectorRoutes, exemptRoutes } from "./connector-routes.js";
import { createContactRoutes } from "./contact-routes.js";
import { type ApiDocument, DOCS_CSP, docsPage } from "./docs-page.js";
import { limitBody } from "./limit-body.js";
import { createMetrics, createMetricsRoute, type MetricsOptions } from "./metrics.js";
import { createNotFound } from "./not-found.js";
import { createErrorHandler } from "./on-error.js";
import { rateLimit } from "./rate-limit.js";
import { createAddressReader, type RemoteAddressOptions } from "./remote-address.js";
import { requestBasics } from "./request-basics.js";
import { createRouter } from "./router.js";
import { createSourceLogRoutes } from "./source-log-routes.js";
import { createStoredSourceRoutes } from "./stored-source-routes.js";

export interface AppOptions extends RemoteAddressOptions {
  /** Further route modules, mounted at the root. Made by `createRouter`, they are in the OpenAPI document too. */
  // biome-ignore lint/suspicious/noExplicitAny: a route module may have any environment
  readonly routes?: readonly Hono<any, any, any>[];
  /** The largest body of a route that says nothing else; 1 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Requests a minute and address to connector routes that do not prove their caller; 60 when absent. */
  readonly connectorRequestsPerMinute?: number;
  /** What `/ready` asks besides the database, such as whether the dispatcher's loop works. False or a throw answers 503. */
  readonly readiness?: Readonly<Record<string, () => Promise<boolean>>>;
  /** What `/metrics` shows, and to whom; to API keys with the scope `admin` when absent. */
  readonly metrics?: MetricsOptions;
  readonly info?: { readonly title?: string; readonly version?: string; readonly description?: string };
}

const health = z.object({ status: z.literal("ok"), uptimeSeconds: z.number() }).openapi("Health");
const readiness = z
  .object({
    status: z.enum(["ok", "failing"]),
    checks: z.record(z.string(), z.object({ status: z.enum(["ok", "failing"]), durationMs: z.number() })),
  })
  .openapi("Readiness");

/** By POST too: some check that a receiver of webhooks is there as they will call it. */
const healthRoutes = (["get", "post"] as const).map((method) =>
  createRoute({
    method,
    path: "/health",
    tags: ["Operation"],
    summary: "Tell that the process is up",
    responses: { 200: { description: "It is.", content: { "application/json": { schema: health } } } },
  }),
);
const readyRoute = createRoute({
  method: "get",
  path: "/ready",
  tags: ["Operation"],
  summary: "Tell whether requests can be served",
  responses: {
    200: { description: "They can.", content: { "application/json": { schema: readiness } } },
    503: { description: "They can't.", content: { "application/json": { schema: readiness } } },
  },
});

/**
 * The HTTP app: connector routes under `/v1/connectors/{id}`, sources at their paths, contacts and events behind API keys, `/health`, `/ready`,
 * `/openapi.json`, `/docs`, and the route modules given. Every error is problem details (RFC 9457) with a `code`.
 *
 * @throws EngineError `invalid_options`
 * @example
 * const app = createApp(engine, { routes: [coldConnect.routes] });
 * serve({ fetch: app.fetch, port: 3000 });
 */
export function createApp(engine: Engine, options: AppOptions = {}): OpenAPIHono {
  const { store, connectors } = engine.parts;
  const { routes = [], maxBodyBytes = DEFAULTS.maxBodyBytes } = options;
  const exempt = exemptRoutes(connectors);
  const app = createRouter();

  app.onError(createErrorHandler(store.logger));
  app.notFound(createNotFound(app.router));
  const metrics = createMetrics(options.metrics);
  app.use(requestBasics(store.logger));
  app.use(metrics.measure);
  app.use(
    `${CONNECTORS_PATH}/*`,
    rateLimit({
      limiter: createRateLimiter(store, {
        name: "connectors",
        max: options.connectorRequestsPerMinute ?? DEFAULTS.connectorRequestsPerMinute,
        windowSeconds: 60,
      }),
      policy: "connectors",
      addressOf: createAddressReader(options),
      isExempt: (c) => exempt.has(`${c.req.method} ${c.req.path}`),
      logger: store.logger,
    }),
  );
  // Connector routes and sources have limits of their own, which stand first.
  app.route("/", createConnectorRoutes(engine));
  app.route("/", createSourceRoutes(engine, options));
  app.use(limitBody(maxBodyBytes));

  for (const route of healthRoutes) {
    app.openapi(route, (c) => c.json({ status: "ok" as const, uptimeSeconds: Math.round(process.uptime()) }, 200));
  }
  app.openapi(readyRoute, async (c) => {
    const { checks } = await engine.health();
    const further = await Promise.all(Object.entries(options.readiness ?? {}).map(runCheck(store.logger)));
    const all = { ...checks, ...Object.fromEntries(further) };
    const isReady = Object.values(all).every(({ status }) => status === "ok");
    return c.json({ status: isReady ? ("ok" as const) : ("failing" as const), checks: all }, isReady ? 200 : 503);
  });
  app.route("/", createContactRoutes(engine));
  app.route("/", createAccessRoutes(engine));
  app.route("/", createAutomationRoutes(engine));
  app.route("/", createSourceLogRoutes(engine));
  app.route("/", createStoredSourceRoutes(engine));
  app.route("/", createMetricsRoute(engine, metrics, options.metrics));
  for (const module of routes) app.route("/", module);
  mountReference(app, options.info);
  return app;
}

function runCheck(logger: Logger) {
  return async ([name, check]: [string, () => Promise<boolean>]) => {
    const startedMs = performance.now();
    const passed = await check().catch((error: unknown) => {
      logger.error({ err: error, check: name }, "a readiness check failed");
      return false;
    });
    const status = passed ? ("ok" as const) : ("failing" as const);
    return [name, { status, durationMs: Math.round(performance.now() - startedMs) }] as const;
  };
}

function mountReference(app: OpenAPIHono, info: AppOptions["info"]): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "apiKey", { type: "http", scheme: "bearer" });
  const reference = {
    openapi: "3.1.0",
    info: { title: "Hookline", version: "1", ...info },
  };
  const describe = (path: string, summary: string, type: string) =>
    app.openAPIRegistry.registerPath({
      method: "get",
      path,
      tags: ["Operation"],
      summary,
      responses: { 200: { description: "The document.", content: { [type]: { schema: {} } } } },
    });
  describe("/openapi.json", "Get this API's description (OpenAPI 3.1)", "application/json");
  describe("/docs", "Read this API's reference", "text/html");
  app.get("/openapi.json", (c) => c.json(app.getOpenAPI31Document(reference)));
  app.get("/docs", async (c) => {
    c.header("content-security-policy", DOCS_CSP);
    return c.html(await docsPage(app.getOpenAPI31Document(reference) as unknown as ApiDocument));
  });
}
