import { parseArgs } from "node:util";
import type { SimulatorState } from "./control/contract.js";
import { isDiscordSimulatorError } from "./errors.js";
import { createDiscordSimulator } from "./simulator.js";

const USAGE = `Usage: hookline-discord-simulator [options]

  --port <number>             where to listen (4001; 0 takes any free port)
  --host <address>            where to listen (127.0.0.1)
  --interactions-url <url>    where interactions go; without it they go over the Gateway
  --redirect-uri <url>        where OAuth may send people back to; may be repeated
  --bot-token <token>         instead of the derived one
  --client-secret <secret>    instead of the derived one
  --shards <number>           how many it recommends to the Gateway's clients (1)
  --seed <text>               keys and tokens are derived from it (hookline)
  --help`;

function readArguments() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "4001" },
        host: { type: "string" },
        "interactions-url": { type: "string" },
        "redirect-uri": { type: "string", multiple: true, default: [] },
        "bot-token": { type: "string" },
        "client-secret": { type: "string" },
        shards: { type: "string" },
        seed: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const simulator = createDiscordSimulator({
    port: Number(values.port),
    redirectUris: values["redirect-uri"],
    ...(values.host ? { host: values.host } : {}),
    ...(values["interactions-url"] ? { interactionsUrl: values["interactions-url"] } : {}),
    ...(values["bot-token"] ? { botToken: values["bot-token"] } : {}),
    ...(values["client-secret"] ? { clientSecret: values["client-secret"] } : {}),
    ...(values.shards ? { shards: Number(values.shards) } : {}),
    ...(values.seed ? { seed: values.seed } : {}),
  });
  const { url } = await simulator.start();
  announce(await simulator.state(), url);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      simulator.close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}

function announce({ application, guilds }: SimulatorState, url: string): void {
  const [guild] = guilds;
  console.log(`Discord simulator
  page             ${url}/
  REST             ${url}/api/v10
  Gateway          ${url.replace(/^http/, "ws")}
  control API      ${url}/simulator/state
  application id   ${application.id}
  public key       ${application.publicKeyHex}
  bot token        ${application.botToken}
  client secret    ${application.clientSecret}
  interactions     ${application.interactionsUrl ?? "over the Gateway"}
  server id        ${guild?.id}
  channel ids      ${guild?.channels.map(({ id, name }) => `${name} ${id}`).join(", ")}
  role ids         ${guild?.roles.map(({ id, name }) => `${name} ${id}`).join(", ")}`);
}

function fail(error: unknown): void {
  console.error(isDiscordSimulatorError(error) ? `${error.message} (${error.code})` : error);
  process.exit(1);
}

main().catch(fail);
