import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { WebSocketServer } from "ws";
import { assembleSimulation } from "./assemble.js";
import type { SimulatedApplication, SimulatorControl } from "./control/contract.js";
import { createControlActions } from "./control/control-actions.js";
import { type ControlCall, createControlFace } from "./control/control-face.js";
import { createControlApp } from "./control/control-routes.js";
import { applicationView } from "./control/views.js";
import { DiscordSimulatorError } from "./errors.js";
import { createAuthorizeApp } from "./oauth/authorize-page.js";
import { type DiscordSimulatorOptions, resolveOptions } from "./options.js";
import { pageRoutes } from "./page-routes.js";
import { createRestApp } from "./rest/rest-app.js";
import type { Simulation } from "./simulation.js";

/** A Discord on this machine. */
export interface DiscordSimulator extends SimulatorControl {
  /** What the application under test has to know. */
  readonly application: SimulatedApplication;
  /** Listens. Throws `port_in_use`, `listen_failed`, `interactions_url_refused`. */
  start(): Promise<{ readonly url: string }>;
  /** Cuts all connections and stops listening. Everything that happened is forgotten. */
  close(): Promise<void>;
}

/**
 * A local Discord: REST under `/api/v10`, the Gateway, signed interactions, and people who act.
 *
 * Keeps everything in memory. Real HTTP and WebSocket, so that unmodified clients work against it; only their REST
 * base URL changes.
 *
 * @see https://discord.com/developers/docs/reference
 * @example
 * const simulator = createDiscordSimulator();
 * const { url } = await simulator.start();
 * const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: `${url}/api` } });
 * await client.login(simulator.application.botToken);
 */
export function createDiscordSimulator(options: DiscordSimulatorOptions = {}): DiscordSimulator {
  const resolved = resolveOptions(options);
  let server: Server | null = null;
  const sockets = new WebSocketServer({ noServer: true });

  const url = () => {
    const address = server?.address() as AddressInfo | null | undefined;
    if (!address) {
      throw new DiscordSimulatorError("not_started", "The simulator is not listening; call start() first.");
    }
    return `http://${resolved.host.includes(":") ? `[${resolved.host}]` : resolved.host}:${address.port}`;
  };

  const simulation = assembleSimulation(resolved, url);
  const call = createControlActions(simulation);
  const control = createControlFace(call);

  return {
    ...control,
    get url() {
      return url();
    },
    get application() {
      return applicationView(simulation.world);
    },

    async start() {
      await simulation.check.load();
      server = createServer(requestListener(simulation, call));
      server.keepAliveTimeout = KEEP_ALIVE_MS;
      server.on("upgrade", (request, socket, head) => upgrade(simulation, sockets, { request, socket, head }));
      await listen(server, resolved.port, resolved.host);
      if (resolved.interactionsUrl) {
        await control.setInteractionsUrl(resolved.interactionsUrl);
      }
      return { url: url() };
    },

    async close() {
      simulation.interactions.close();
      simulation.webhookEvents.close();
      for (const socket of sockets.clients) {
        socket.terminate();
      }
      const closing = server;
      server = null;
      if (closing?.listening) {
        await new Promise<void>((resolve) => {
          closing.close(() => resolve());
          closing.closeAllConnections();
        });
      }
    },
  };
}

/** Longer than clients keep their connections, so that none is cut in the middle. */
const KEEP_ALIVE_MS = 60_000;

function requestListener(simulation: Simulation, call: ControlCall) {
  const app = new Hono();
  const rest = createRestApp(simulation);
  const controlApp = createControlApp(simulation, call);
  app.route("/", createAuthorizeApp(simulation));
  app.all("/api/*", (c) => rest.fetch(c.req.raw));
  app.all("/simulator/*", (c) => controlApp.fetch(c.req.raw));
  app.get("/attachments/:file/:name", (c) => {
    const file = simulation.files.get(c.req.param("file"));
    return file
      ? new Response(file, { headers: { "content-type": file.type || "application/octet-stream" } })
      : c.notFound();
  });
  pageRoutes(app);
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (...[request, response]: Parameters<typeof listener>) => {
    if (simulation.faults.isRefusing() && request.url?.startsWith("/api")) {
      request.socket.destroy();
      return;
    }
    listener(request, response).catch((error: unknown) =>
      simulation.options.logger.error({ err: error }, "a request could not be answered"),
    );
  };
}

interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade(simulation: Simulation, sockets: WebSocketServer, { request, socket, head }: UpgradeRequest): void {
  if (simulation.faults.isRefusing()) {
    socket.destroy();
    return;
  }
  sockets.handleUpgrade(request, socket, head, (webSocket) =>
    simulation.gateway.accept(webSocket, new URL(request.url ?? "/", "ws://gateway")),
  );
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        new DiscordSimulatorError(
          taken ? "port_in_use" : "listen_failed",
          taken ? `Port ${port} on ${host} is in use.` : `Cannot listen on ${host}:${port}: ${error.message}`,
          { cause: error },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
