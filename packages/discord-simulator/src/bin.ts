import { parseArgs } from "node:util";
import { isDiscordSimulatorError } from "./errors.js";
import { createDiscordSimulator, type DiscordSimulator } from "./simulator.js";

const USAGE = `Usage: hookline-discord-simulator [options]

  --port <number>             where to listen (4001; 0 takes any free port)
  --host <address>            where to listen (127.0.0.1)
  --interactions-url <url>    where interactions go; without it they go over the Gateway
  --redirect-uri <url>        where OAuth may send people back to; may be repeated
  --bot-token <token>         instead of the derived one
  --client-secret <secret>    instead of the derived one
  --seed <text>               keys and tokens are derived from it (hookline)
  --help`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "4001" },
      host: { type: "string" },
      "interactions-url": { type: "string" },
      "redirect-uri": { type: "string", multiple: true, default: [] },
      "bot-token": { type: "string" },
      "client-secret": { type: "string" },
      seed: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
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
    ...(values.seed ? { seed: values.seed } : {}),
  });
  const { url } = await simulator.start();
  announce(simulator, url);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      simulator.close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}

function announce({ application }: DiscordSimulator, url: string): void {
  console.log(`Discord simulator
  page             ${url}/
  REST             ${url}/api/v10
  Gateway          ${url.replace(/^http/, "ws")}
  control API      ${url}/simulator/state
  application id   ${application.id}
  public key       ${application.publicKeyHex}
  bot token        ${application.botToken}
  client secret    ${application.clientSecret}
  interactions     ${application.interactionsUrl ?? "over the Gateway"}`);
}

function fail(error: unknown): void {
  console.error(isDiscordSimulatorError(error) ? `${error.message} (${error.code})` : error);
  process.exit(1);
}

main().catch(fail);
