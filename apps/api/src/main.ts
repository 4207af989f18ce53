import { existsSync } from "node:fs";
import { type ServerType, serve } from "@hono/node-server";
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
  const api = await compose(environment, logger);
  try {
    await api.start();
    const server = await listen(api.app.fetch, environment);
    logger.info({ url: environment.API_PUBLIC_URL }, "the API is listening");
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
  } catch (error) {
    await api.stop();
    throw error;
  }
}

function listen(fetch: Parameters<typeof serve>[0]["fetch"], { HOST, PORT }: Environment): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: HOST, port: PORT }, () => resolve(server));
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      const message = `Port ${PORT} on ${HOST} is in use. Stop what holds it, or set PORT to another.`;
      reject(new ApiStartError("port_in_use", message, { cause: error }));
    });
  });
}
