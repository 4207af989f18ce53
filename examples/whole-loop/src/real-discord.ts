import { join } from "node:path";
import { createProcesses } from "./processes.js";
import type { Report } from "./report.js";
import { readSecrets } from "./settings.js";

/** The same API and worker, talking to the real Discord with the credentials in `.env`. Nothing is played. */
export async function startWithDiscord(options: { report: Report; directory: string; root: string }): Promise<void> {
  const { report, directory, root } = options;
  const secrets = readSecrets(directory);
  const port = process.env.PORT || "4000";
  const processes = createProcesses({ logDirectory: join(directory, "logs"), workingDirectory: root });
  const failed = new Promise<never>((_, reject) => processes.onUnexpectedExit(reject));
  const stopAndExit = async () => {
    await processes.stop();
    process.exit(0);
  };
  process.once("SIGINT", stopAndExit);
  process.once("SIGTERM", stopAndExit);

  // Both programs read `.env` themselves; what it leaves out is this checkout's own.
  const env = {
    API_PUBLIC_URL: process.env.API_PUBLIC_URL || `http://127.0.0.1:${port}`,
    ENCRYPTION_KEY: process.env.ENCRYPTION_KEY || secrets.encryptionKey,
    API_KEY: process.env.API_KEY || secrets.apiKey,
    CONNECTOR_INGRESS_SECRET: process.env.CONNECTOR_INGRESS_SECRET || secrets.ingressSecret,
    COMPONENT_SECRET: process.env.COMPONENT_SECRET || secrets.componentSecret,
  };
  report.title("Hookline with Discord, as .env says");
  try {
    await report.seen("The API runs, commands are registered", () =>
      processes.start({
        name: "api",
        script: join(root, "apps/api/dist/main.js"),
        env,
        readyUrl: `http://127.0.0.1:${port}/ready`,
      }),
    );
    await report.seen("The gateway worker is connected to Discord", () =>
      processes.start({
        name: "worker",
        script: join(root, "apps/gateway-worker/dist/main.js"),
        env: { ...env, API_PUBLIC_URL: `http://127.0.0.1:${port}`, HEALTH_PORT: "4003" },
        readyUrl: "http://127.0.0.1:4003/healthz",
      }),
    );
    report.note(`Interactions Endpoint URL for the portal: ${env.API_PUBLIC_URL}/v1/connectors/discord/interactions`);
    report.note("Ctrl+C stops it.");
    await failed;
  } catch (error) {
    await processes.stop();
    throw error;
  }
}
