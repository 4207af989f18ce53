import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectSimulator, createDiscordSimulator, type SimulatorControl } from "@hookline/discord-simulator";
import { afterEach, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "hookline-loop-test-"));
  folders.push(made);
  return made;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
  return {
    child,
    ended,
    async untilSaid(words: string): Promise<void> {
      for (let tries = 0; tries < 1_200 && child.exitCode === null; tries += 1) {
        if (output.includes(words)) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`It never said "${words}":\n${output}`);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Anna's browser: the link's page, its button, Discord, and back. */
async function connectByOAuth(discord: SimulatorControl, address: string): Promise<void> {
  const { origin, searchParams } = new URL(address);
  const begun = await fetch(`${origin}/v1/connectors/discord/oauth/start`, {
    method: "POST",
    redirect: "manual",
    headers: { origin },
    body: new URLSearchParams({ link: searchParams.get("link") ?? "" }),
  });
  const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? "";
  const back = await discord.member("anna").authorize(begun.headers.get("location") ?? "");
  const ended = await fetch(back, { headers: { cookie } });
  expect([ended.status, await ended.text()]).toEqual([200, expect.stringContaining("anna is connected")]);
}

describe("npm start", () => {
  it("N6 H1 H2 H3 E1 E3 E5 X2 X3 plays the whole loop with --once, and again on the data of the first time", async () => {
    const directory = folder();
    // A database that is not there: the simulated world must not look for it.
    const env = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/never" };
    for (const time of ["first", "second"]) {
      const { code, output } = await start(["--once", "--directory", directory], env).ended;
      expect(output, `${time} time:\n${output}`).toContain("Every step was seen");
      expect(output).not.toContain("✗");
      expect(output.match(/^\S*[1-5] {2}\S/gm) ?? []).toHaveLength(5);
      expect(code).toBe(0);
    }
  }, 300_000);

  it("H11 leaves everything running with links to try OAuth with, and ends with exit code 0 when it is told to", async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
    const [api, simulator, receiver, worker, startPage] = ports.map(String);
    const running = start(["--directory", folder()], {
      API_PORT: api ?? "",
      SIMULATOR_PORT: simulator ?? "",
      RECEIVER_PORT: receiver ?? "",
      WORKER_PORT: worker ?? "",
      START_PORT: startPage ?? "",
    });
    await running.untilSaid("/oauth/linked-role");
    expect((await fetch(`http://127.0.0.1:${api}/health`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${simulator}/`)).status).toBe(200);
    const home = `http://127.0.0.1:${startPage}`;
    const page = await (await fetch(home)).text();
    for (const [path, title] of [
      [`${home}/try/install`, "Add to Discord"],
      [`${home}/try/member`, "Connect your Discord account"],
      [`http://127.0.0.1:${api}/v1/connectors/discord/oauth/linked-role`, "Connect your Discord account"],
    ] as const) {
      expect(page).toContain(`href="${path}"`);
      const opened = await fetch(path);
      expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining(`<h1>${title}</h1>`)]);
    }
    const discord = await connectSimulator(`http://127.0.0.1:${simulator}`);
    await connectByOAuth(discord, (await fetch(`${home}/try/member`)).url);
    const isVerified = async () => (await discord.rolesOf("anna")).includes("Verified");
    await expect.poll(isVerified, { timeout: 30_000 }).toBe(true);
    running.child.kill("SIGINT");
    const { code } = await running.ended;
    expect(code).toBe(0);
    for (const port of ports) await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  }, 300_000);

  it("says which port is in use, with a code, and how to choose another", async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, "127.0.0.1", () => resolve((holder.address() as { port: number }).port));
    });
    const { code, output } = await start(["--directory", folder()], { API_PORT: String(port) }).ended;
    await new Promise((resolve) => holder.close(resolve));
    expect(code).toBe(1);
    expect(output).toContain(`(port_in_use) Port ${port} is in use`);
    expect(output).toContain("API_PORT");
  }, 60_000);
});

describe("npm start with a bot token", () => {
  async function environmentOf(simulator: ReturnType<typeof createDiscordSimulator>) {
    const { application, guilds } = await simulator.state();
    const port = String(await freePort());
    return {
      PORT: port,
      API_PUBLIC_URL: `http://127.0.0.1:${port}`,
      HEALTH_PORT: String(await freePort()),
      DISCORD_BOT_TOKEN: application.botToken,
      DISCORD_APPLICATION_ID: application.id,
      DISCORD_CLIENT_SECRET: application.clientSecret,
      DISCORD_PUBLIC_KEY: application.publicKeyHex,
      DISCORD_GUILD_ID: guilds[0]?.id ?? "",
      DISCORD_API_BASE_URL: `${simulator.url}/api/v10`,
    };
  }

  it("runs the same API and worker against that Discord, beside the demo's data", async () => {
    const simulator = createDiscordSimulator();
    await simulator.start();
    const directory = folder();
    const running = start(["--directory", directory], await environmentOf(simulator));
    await running.untilSaid("Interactions Endpoint URL for the portal");
    expect((await simulator.state()).gateway.connections).toBe(1);
    expect(existsSync(join(directory, "discord", "data"))).toBe(true);
    expect(existsSync(join(directory, "demo"))).toBe(false);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    await simulator.close();
  }, 180_000);

  it("H9 ends with a clear sentence when an intent is not switched on in the portal", async () => {
    const simulator = createDiscordSimulator({ privilegedIntents: [] });
    await simulator.start();
    const running = start(["--directory", folder()], await environmentOf(simulator));
    const { code, output } = await running.ended;
    expect(code).toBe(1);
    expect(output).toContain("disallowed_intents");
    expect(output).not.toContain("UnhandledPromiseRejection");
    await simulator.close();
  }, 180_000);
});
