import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayWorkerError } from "./errors.js";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./metrics.js";
import { type GatewayWorkerStats, isHealthy } from "./stats.js";

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /healthz`: 200 when each shard shows life and the spool has room, else 503; the body says more.
 * An ingress that is down does not count, since a restart of the worker would not mend it. And `GET /metrics` for Prometheus.
 *
 * @throws {GatewayWorkerError} `health_port_in_use`, `health_failed`
 */
export async function startHealthServer(options: {
  readonly port: number;
  readonly host: string;
  readonly stats: () => GatewayWorkerStats;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { status, type, body } = answer(request, options.stats());
    response.writeHead(status, { "content-type": type, "cache-control": "no-store", connection: "close" });
    response.end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(options, cause)));
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer({ method, url }: IncomingMessage, stats: GatewayWorkerStats) {
  const path = method === "GET" || method === "HEAD" ? url?.split("?")[0] : undefined;
  if (path === "/metrics") {
    return { status: 200, type: METRICS_CONTENT_TYPE, body: renderMetrics(stats) };
  }
  const ok = isHealthy(stats);
  const found = path === "/healthz";
  return {
    status: found ? (ok ? 200 : 503) : 404,
    type: "application/json",
    body: JSON.stringify(found ? { status: ok ? "ok" : "unhealthy", ...stats } : { status: "not found" }),
  };
}

function listenError(at: { port: number; host: string }, cause: NodeJS.ErrnoException): GatewayWorkerError {
  return cause.code === "EADDRINUSE"
    ? new GatewayWorkerError(
        "health_port_in_use",
        `Port ${at.port} on ${at.host} is in use. Give /healthz another port (HEALTH_PORT), or stop the other process.`,
        { cause },
      )
    : new GatewayWorkerError("health_failed", `/healthz can't listen on ${at.host}:${at.port}: ${cause.message}`, {
        cause,
      });
}
