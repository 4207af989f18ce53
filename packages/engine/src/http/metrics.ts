import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { Counter, Histogram, Gauge as PrometheusGauge, Registry } from "prom-client";
import type { Engine } from "../engine.js";
import { problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

/** A value that is asked for when `/metrics` is read. */
export interface Gauge {
  /** Letters, digits and `_`. */
  readonly name: string;
  readonly help: string;
  readonly collect: () => number | Promise<number>;
}

export interface MetricsOptions {
  /** Lets anybody read them; otherwise an API key with the scope `admin` is needed. */
  readonly open?: boolean;
  readonly gauges?: readonly Gauge[];
}

export interface Metrics {
  readonly registry: Registry;
  readonly measure: MiddlewareHandler;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Requests by route as it is declared: a path holds ids, and there are too many of these for a label. */
export function createMetrics({ gauges = [] }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: "hookline_http_request_duration_seconds",
    help: "How long requests took.",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers,
  });
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the process.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const ofProcess: readonly Gauge[] = [
    {
      name: "process_resident_memory_bytes",
      help: "Memory of the process.",
      collect: () => process.memoryUsage.rss(),
    },
    { name: "process_uptime_seconds", help: "How long the process is up.", collect: () => process.uptime() },
  ];
  for (const { name, help, collect } of [...ofProcess, ...gauges]) {
    new PrometheusGauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await collect());
      },
    });
  }

  return {
    registry,
    async measure(c, next) {
      const startedMs = performance.now();
      await next();
      const labels = { method: c.req.method, route: routeOf(c), status: String(c.res.status) };
      requests.observe(labels, (performance.now() - startedMs) / 1000);
    },
  };
}

/** What only middleware matched is one route: whoever guesses paths must not fill the memory. */
function routeOf(c: Context): string {
  return matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path ?? "none";
}

/** `GET /metrics` in Prometheus' text format. */
export function createMetricsRoute(
  engine: Engine,
  { registry }: Metrics,
  { open = false }: MetricsOptions = {},
): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  if (!open) router.use("/metrics", requireApiKey(engine, "admin"));
  router.get("/metrics", async (c) =>
    c.body(await registry.metrics(), 200, { "content-type": registry.contentType, "cache-control": "no-store" }),
  );
  router.openAPIRegistry.registerPath({
    method: "get",
    path: "/metrics",
    tags: ["Operation"],
    summary: "Read metrics in Prometheus' text format",
    ...(open ? {} : { security: [{ apiKey: [] }] }),
    responses: {
      200: { description: "The metrics.", content: { "text/plain": { schema: { type: "string" } } } },
      ...(open ? {} : problemResponses({ 401: "No valid API key.", 403: "The scope is missing." })),
    },
  });
  return router;
}
