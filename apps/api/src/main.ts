import { existsSync } from "node:fs";
import { type ServerType, serve } from "@hono/node-server";
import { problemResponse } from "@hookline/core";
import { closeServer } from "./close-server.js";
import { compose } from "./compose.js";
import { type Environment, readEnvironment } from "./environment.js";
import { ApiStartError } from "./errors.js";
import { createLogger } from "./logging.js";

/** How long requests that are under way at a stop may take. */
const REQUESTS_LIMIT_MS = 10_000;

if (existsSync(".env")) process.loadEnvFile(".env");

try {
  await run(readEnvironment(process.env));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.error(`The API did not start${code ? ` (${code})` : ""}: ${message}`);
  process.exit(1);
}

async function run(environment: Environment): Promise<void> {
  const logger = createLogger(environment);
  // The port first: a database takes seconds to make, and one that is in use should be said at once.
  let answer: FetchCallback = () =>
    problemResponse({ status: 503, code: "starting", detail: "The API is starting. Try again in a moment." });
  const server = await listen((request, env) => answer(request, env), environment);
  const api = await compose(environment, logger);
  try {
    await api.start();
    answer = api.app.fetch;
    logger.info({ url: environment.API_PUBLIC_URL }, "the API is listening");
  } catch (error) {
    await api.stop();
    throw error;
  }

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    logger.info({}, "stopping");
    try {
      const { cut } = await closeServer(server, { limitMs: REQUESTS_LIMIT_MS });
      if (cut) logger.warn({ limitMs: REQUESTS_LIMIT_MS }, "requests that took too long were cut off");
      await api.stop();
      process.exit(0);
    } catch (error) {
      logger.error({ err: error }, "stopping failed");
      process.exit(1);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

type FetchCallback = Parameters<typeof serve>[0]["fetch"];

function listen(fetch: FetchCallback, { HOST, PORT }: Environment): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: HOST, port: PORT }, () => resolve(server));
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      const message = `Port ${PORT} on ${HOST} is in use. Stop what holds it, or set PORT to another.`;
      reject(new ApiStartError("port_in_use", message, { cause: error }));
    });
  });
}
