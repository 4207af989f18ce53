import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProcesses } from "./processes.js";
import type { Report } from "./report.js";
import { readSecrets } from "./settings.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface RealDiscordOptions {
  readonly report: Report;
  /** Holds spool, logs, what `.env` leaves out, and the database unless `DATABASE_URL` names another. */
  readonly directory: string;
  /** `.env` and the process's own environment. */
  readonly settings: Readonly<Record<string, string | undefined>>;
}

/** The same API and worker, talking to the real Discord with the given credentials. Nothing is played. */
export async function startWithDiscord({ report, directory, settings }: RealDiscordOptions): Promise<void> {
  const secrets = readSecrets(directory);
  const port = settings.PORT || "4000";
  const healthPort = settings.HEALTH_PORT || "4003";
  const local = `http://127.0.0.1:${port}`;
  const env = {
    ...Object.fromEntries(Object.entries(settings).filter((entry): entry is [string, string] => Boolean(entry[1]))),
    PORT: port,
    API_PUBLIC_URL: settings.API_PUBLIC_URL || local,
    DATABASE_URL: settings.DATABASE_URL || `pglite://${join(directory, "data")}`,
    ENCRYPTION_KEY: settings.ENCRYPTION_KEY || secrets.encryptionKey,
    API_KEY: settings.API_KEY || secrets.apiKey,
    CONNECTOR_INGRESS_SECRET: settings.CONNECTOR_INGRESS_SECRET || secrets.ingressSecret,
    COMPONENT_SECRET: settings.COMPONENT_SECRET || secrets.componentSecret,
  };

  const processes = createProcesses({ logDirectory: join(directory, "logs"), workingDirectory: directory });
  const failed = new Promise<never>((_, reject) => processes.onUnexpectedExit(reject));
  const stopAndExit = async () => {
    await processes.stop();
    process.exit(0);
  };
  process.once("SIGINT", stopAndExit);
  process.once("SIGTERM", stopAndExit);

  report.title("Hookline with Discord, as .env says");
  try {
    await Promise.race([failed, startProcesses()]);
    report.note(`Interactions Endpoint URL for the portal: ${env.API_PUBLIC_URL}/v1/connectors/discord/interactions`);
    report.note("Ctrl+C stops it.");
    await failed;
  } catch (error) {
    await processes.stop();
    throw error;
  }

  async function startProcesses(): Promise<void> {
    await report.seen("The API runs", () =>
      processes.start({ name: "api", script: join(root, "apps/api/dist/main.js"), env, readyUrl: `${local}/ready` }),
    );
    await report.seen("The gateway worker is connected to Discord", () =>
      processes.start({
        name: "worker",
        script: join(root, "apps/gateway-worker/dist/main.js"),
        env: {
          ...env,
          API_PUBLIC_URL: local,
          HEALTH_PORT: healthPort,
          SPOOL_DIRECTORY: settings.SPOOL_DIRECTORY || join(directory, "spool"),
        },
        readyUrl: `http://127.0.0.1:${healthPort}/healthz`,
      }),
    );
  }
}
