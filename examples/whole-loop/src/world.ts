import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectSimulator, type SimulatorState } from "@hookline/discord-simulator";
import { createApiClient } from "./api-client.js";
import { createProcesses, findPort, type Processes } from "./processes.js";
import type { Report } from "./report.js";
import { readSecrets, type Secrets } from "./settings.js";
import type { ReceivedWebhook, Stage } from "./stage.js";
import { startPage, TRIED_EMAIL } from "./start-page.js";
import { until } from "./until.js";

export interface WorldOptions {
  readonly report: Report;
  /** Holds database, spool, secrets and logs. */
  readonly directory: string;
  /** False takes any free ports. */
  readonly usualPorts: boolean;
}

export interface World {
  readonly stage: Stage;
  readonly processes: Processes;
  readonly addresses: readonly (readonly [name: string, address: string, what: string])[];
  /** What to open for trying OAuth, once `openStartPage` has run. */
  readonly tries: readonly (readonly [name: string, address: string, what: string])[];
  /** Adds a second server that the bot can be installed in, and serves a page with all of these links. */
  openStartPage(): Promise<void>;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));
const programs = {
  simulator: join(root, "packages/discord-simulator/bin.js"),
  api: join(root, "apps/api/dist/main.js"),
  worker: join(root, "apps/gateway-worker/dist/main.js"),
  receiver: fileURLToPath(new URL("./receiver.js", import.meta.url)),
};
const USUAL_PORTS = { api: 4000, simulator: 4001, receiver: 4002, worker: 4003, start: 4004 };

const SECOND_SERVER = "Second Server";

/** A retry schedule for watching, in seconds: the specification's has hours between its last tries. */
const RETRY_SCHEDULE_SECONDS = "0,0.5,1,2,4,8,16,32";

/** Starts simulator, API, gateway worker and receiver, each a process of its own, and puts the endpoint in place. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { report, directory } = options;
  const secrets = readSecrets(directory);
  const ports = await choosePorts(options.usualPorts);
  const url = (name: keyof typeof ports) => `http://127.0.0.1:${ports[name]}`;
  const processes = createProcesses({ logDirectory: join(directory, "logs"), workingDirectory: directory });
  // What an earlier start received is of no interest any more; each start is judged by its own.
  rmSync(join(directory, "received.jsonl"), { force: true });

  try {
    const discord = await report.seen("A Discord of your own runs", async () => {
      await processes.start({
        name: "simulator",
        script: programs.simulator,
        args: ["--port", String(ports.simulator)],
        env: {},
        readyUrl: `${url("simulator")}/api/v10/gateway`,
      });
      return await connectSimulator(url("simulator"));
    });

    await report.seen("The API runs: PGlite on disk, migrations applied, commands registered", async () => {
      await processes.start({
        name: "api",
        script: programs.api,
        env: apiEnvironment({ secrets, state: await discord.state(), port: ports.api, directory }),
        readyUrl: `${url("api")}/ready`,
      });
      await until("the commands at Discord", async () => (await discord.state()).commands.length > 1);
      // Discord probes the address with right and wrong signatures before it takes it.
      await discord.setInteractionsUrl(`${url("api")}/v1/connectors/discord/interactions`);
      await discord.setRedirectUris([`${url("api")}/v1/connectors/discord/oauth/callback`]);
      await discord.setWebhookEventsUrl(`${url("api")}/v1/connectors/discord/webhook-events`);
    });

    await report.seen("The gateway worker is connected to Discord", async () => {
      await processes.start({
        name: "worker",
        script: programs.worker,
        env: {
          DISCORD_BOT_TOKEN: (await discord.state()).application.botToken,
          DISCORD_API_BASE_URL: `${url("simulator")}/api/v10`,
          API_PUBLIC_URL: url("api"),
          CONNECTOR_INGRESS_SECRET: secrets.ingressSecret,
          SPOOL_DIRECTORY: join(directory, "spool"),
          HEALTH_PORT: String(ports.worker),
        },
        readyUrl: `${url("worker")}/healthz`,
      });
    });

    const receiver = createReceiverProcess({ processes, secrets, port: ports.receiver, directory });
    const api = createApiClient({ url: url("api"), apiKey: secrets.apiKey });
    await report.seen("A receiver verifies signatures; its endpoint is subscribed to every event", async () => {
      await receiver.restart();
      await ensureEndpoint(api, { url: url("receiver"), secret: secrets.receiverSecret });
    });

    const addresses = [
      ["Start", url("start"), "all of this as a page, and the mails that would have gone out"],
      ["Discord", url("simulator"), "the simulated server: channels, messages, buttons"],
      ["API", `${url("api")}/docs`, "every route, and /openapi.json"],
      ["Receiver", url("receiver"), "the webhooks that it verified"],
      ["Worker", `${url("worker")}/healthz`, "heartbeat and spool"],
    ] as const;
    const tries = [
      ["Install", `${url("start")}/try/install`, `add the bot to "${SECOND_SERVER}": be Olga there, who owns it`],
      ["Member", `${url("start")}/try/member`, `connect whoever you are on the next page to ${TRIED_EMAIL}`],
      [
        "Linked role",
        `${url("api")}/v1/connectors/discord/oauth/linked-role`,
        "what Discord opens for members; its mail is on the start page",
      ],
    ] as const;

    return {
      processes,
      addresses,
      tries,
      async openStartPage() {
        await discord.addGuild({ name: SECOND_SERVER });
        await startPage({ port: ports.start, api, addresses, tries });
      },
      stage: { report, discord, api, receiver, runId: Date.now().toString(36).slice(-5) },
    };
  } catch (error) {
    await processes.stop();
    throw error;
  }
}

async function choosePorts(usual: boolean) {
  const wanted = (name: keyof typeof USUAL_PORTS) =>
    usual ? Number(process.env[`${name.toUpperCase()}_PORT`] ?? USUAL_PORTS[name]) : 0;
  const ports = { ...USUAL_PORTS };
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await findPort(wanted(name), name);
  return ports;
}

interface ApiSetting {
  readonly secrets: Secrets;
  readonly state: SimulatorState;
  readonly port: number;
  readonly directory: string;
}

function apiEnvironment({ secrets, state, port, directory }: ApiSetting): Record<string, string> {
  const { application, guilds } = state;
  const guild = guilds[0];
  const channel = (name: string) => guild?.channels.find((one) => one.name === name)?.id ?? "";
  return {
    PORT: String(port),
    API_PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: `pglite://${join(directory, "data")}`,
    // The receiver and the simulated Discord are on this machine, and speak plain HTTP.
    ADDRESS_GUARD_ALLOW: "127.0.0.0/8",
    ADDRESS_GUARD_ALLOW_HTTP: "true",
    LOCAL_MAIL_OUTBOX: "true",
    SUPPORT_WEBHOOK_OPEN: "true",
    ENCRYPTION_KEY: secrets.encryptionKey,
    API_KEY: secrets.apiKey,
    CONNECTOR_INGRESS_SECRET: secrets.ingressSecret,
    COMPONENT_SECRET: secrets.componentSecret,
    DISCORD_APPLICATION_ID: application.id,
    DISCORD_CLIENT_SECRET: application.clientSecret,
    DISCORD_PUBLIC_KEY: application.publicKeyHex,
    DISCORD_BOT_TOKEN: application.botToken,
    DISCORD_GUILD_ID: guild?.id ?? "",
    DISCORD_VERIFIED_ROLE_ID: guild?.roles.find(({ name }) => name === "Verified")?.id ?? "",
    DISCORD_WEBHOOK_CHANNELS: JSON.stringify({
      "ticket.created": [channel("support")],
      "machine.registered": [channel("ops")],
    }),
    DISCORD_API_BASE_URL: `${state.url}/api/v10`,
    RETRY_SCHEDULE_SECONDS,
  };
}

interface ReceiverSetting {
  readonly processes: Processes;
  readonly secrets: Secrets;
  readonly port: number;
  readonly directory: string;
}

function createReceiverProcess({ processes, secrets, port, directory }: ReceiverSetting): Stage["receiver"] {
  const url = `http://127.0.0.1:${port}`;
  return {
    received: async () => (await (await fetch(url)).json()) as ReceivedWebhook[],
    crash: () => processes.kill("receiver"),
    restart: () =>
      processes.start({
        name: "receiver",
        script: programs.receiver,
        env: {
          PORT: String(port),
          RECEIVER_SECRET: secrets.receiverSecret,
          RECEIVER_FILE: join(directory, "received.jsonl"),
        },
        readyUrl: url,
      }),
  };
}

/** The endpoint of an earlier start is still there; where its address is another one by now, it changes. */
async function ensureEndpoint(api: Stage["api"], { url, secret }: { url: string; secret: string }): Promise<void> {
  const name = "whole-loop-receiver";
  const { endpoints } = await api.get<{ endpoints: { id: string; name: string; url: string }[] }>(
    "/v1/endpoints?limit=200",
  );
  const known = endpoints.find((endpoint) => endpoint.name === name);
  if (!known) await api.post("/v1/endpoints", { name, url, secret, events: ["*"] });
  else if (known.url !== url) await api.patch(`/v1/endpoints/${known.id}`, { url });
}
