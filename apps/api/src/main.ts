import { existsSync } from "node:fs";
import { type ServerType, serve } from "@hono/node-server";
import { problemResponse } from "@hookline/core";
import { pino } from "pino";
import { compose } from "./compose.js";
import { type Environment, readEnvironment } from "./environment.js";
import { ApiStartError } from "./errors.js";

if (existsSync(".env")) process.loadEnvFile(".env");

try {
  await run(readEnvironment(process.env));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.error(`The API did not start${code ? ` (${code})` : ""}: ${message}`);
  process.exit(1);
}

async function run(environment: Environment): Promise<void> {
  const logger = pino({
    level: environment.LOG_LEVEL,
    redact: ["req.headers.authorization", "*.token", "*.secret", "*.password", "*.email"],
  });
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
  const stop = () => {
    if (stopping) return;
    stopping = true;
    logger.info({}, "stopping");
    server.close(async () => {
      await api.stop();
      process.exit(0);
    });
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
