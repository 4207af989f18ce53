import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createDiscordSimulator } from "@hookline/discord-simulator";
import { createPgliteDirectory } from "@hookline/postgres/testing";
import nacl from "tweetnacl";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** A process of the reference app, as its environment describes it. */
export interface ApiProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it wrote so far. */
  output(): string;
  /** Of that, what went to stderr. */
  errors(): string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export function spawnApi(environment: Readonly<Record<string, string>>): ApiProcess {
  const child = spawn(process.execPath, [program], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { url: environment.API_PUBLIC_URL ?? "", child, exited, output: () => output, errors: () => errors };
}

export async function untilReady({ url, child, output }: ApiProcess): Promise<void> {
  for (let tries = 0; tries < 900; tries += 1) {
    if (child.exitCode !== null) break;
    const response = await fetch(`${url}/ready`).catch(() => null);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Error(`The API did not become ready:\n${output()}`);
}

/** Commands are registered once the API is ready. */
export async function untilRegistered(simulator: Setting["simulator"], command: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await simulator.state()).commands.some(({ name }) => name === command)) return;
    await sleep(100);
  }
  throw new Error(`/${command} was not registered.`);
}

/** A simulated Discord, and the environment of an API with an empty database that talks to it and verifies with a key of the test's own. */
export async function createSetting() {
  const simulator = createDiscordSimulator();
  await simulator.start();
  const { application, guilds } = await simulator.state();
  const keys = nacl.sign.keyPair();
  const directory = mkdtempSync(join(tmpdir(), "hookline-api-"));
  const data = join(directory, "data");
  await createPgliteDirectory(data);
  const port = await freePort();
  const environment = {
    PORT: String(port),
    API_PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: `pglite://${data}`,
    ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    API_KEY: `hk_${randomBytes(24).toString("base64url")}`,
    CONNECTOR_INGRESS_SECRET: randomBytes(32).toString("base64url"),
    COMPONENT_SECRET: randomBytes(32).toString("base64url"),
    DISCORD_APPLICATION_ID: application.id,
    DISCORD_CLIENT_SECRET: application.clientSecret,
    DISCORD_PUBLIC_KEY: Buffer.from(keys.publicKey).toString("hex"),
    DISCORD_BOT_TOKEN: application.botToken,
    DISCORD_GUILD_ID: guilds[0]?.id ?? "",
    DISCORD_API_BASE_URL: `${simulator.url}/api/v10`,
    LOCAL_MAIL_OUTBOX: "true",
  };
  return {
    simulator,
    environment,
    directory,
    /** Headers that Discord would send with this body. */
    sign(body: string, timestamp = Math.floor(Date.now() / 1000)): Record<string, string> {
      const signature = nacl.sign.detached(Buffer.from(`${timestamp}${body}`), keys.secretKey);
      return {
        "content-type": "application/json",
        "x-signature-timestamp": String(timestamp),
        "x-signature-ed25519": Buffer.from(signature).toString("hex"),
      };
    },
    async close() {
      await simulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type Setting = Awaited<ReturnType<typeof createSetting>>;

/** An API that takes what the simulated Discord itself signs, and gives its role "Verified" to members who are linked. */
export async function spawnLinkingApi(
  { simulator, environment }: Setting,
  more: Readonly<Record<string, string>> = {},
): Promise<ApiProcess> {
  const { guilds } = await simulator.state();
  return spawnApi({
    ...environment,
    DISCORD_PUBLIC_KEY: simulator.application.publicKeyHex,
    DISCORD_VERIFIED_ROLE_ID: guilds[0]?.roles.find(({ name }) => name === "Verified")?.id ?? "",
    ...more,
  });
}
