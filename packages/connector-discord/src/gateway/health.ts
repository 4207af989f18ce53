import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayWorkerError } from "./errors.js";
import type { GatewayWorkerStats } from "./stats.js";

/** Two of Discord's heartbeats, and then some: a shard that is silent for longer hangs. */
const SILENT_AFTER_MS = 120_000;

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /healthz`: 200 when each shard shows life and the spool has room, else 503; the body says more.
 * An ingress that is down does not count, since a restart of the worker would not mend it.
 *
 * @throws {GatewayWorkerError} `health_port_in_use`, `health_failed`
 */
export async function startHealthServer(options: {
  readonly port: number;
  readonly host: string;
  readonly stats: () => GatewayWorkerStats;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const found = (request.method === "GET" || request.method === "HEAD") && request.url?.split("?")[0] === "/healthz";
    const stats = options.stats();
    const ok = isHealthy(stats);
    response.writeHead(found ? (ok ? 200 : 503) : 404, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(found ? { status: ok ? "ok" : "unhealthy", ...stats } : { status: "not found" }));
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

export function isHealthy(stats: GatewayWorkerStats): boolean {
  const { shards } = stats.gateway;
  return (
    stats.state === "running" &&
    !stats.spool.full &&
    shards.length > 0 &&
    shards.every((shard) => shard.lastSignAgeMs < SILENT_AFTER_MS)
  );
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
