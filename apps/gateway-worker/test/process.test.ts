import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { INGRESS_SECRET } from "../../../packages/connector-discord/test/gateway/support/ingress-server.js";
import {
  numbers,
  type Surroundings,
  sayNumbers,
  startSurroundings,
  textsIn,
} from "../../../packages/connector-discord/test/gateway/support/running.js";
import { waitUntil } from "../../../packages/connector-discord/test/gateway/support/wait-until.js";
import { spawnWorker } from "./support/worker-process.js";

function environmentOf({ simulator, ingress }: Surroundings): Record<string, string> {
  return {
    DISCORD_BOT_TOKEN: simulator.application.botToken,
    DISCORD_API_BASE_URL: `${simulator.url}/api/v10`,
    API_PUBLIC_URL: ingress.url,
    CONNECTOR_INGRESS_SECRET: INGRESS_SECRET,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("gateway worker process", () => {
  test("N2 a SIGKILL between spool and ingress loses nothing: the next process sends and resumes", async () => {
    const around = await startSurroundings();
    around.ingress.intercept(() => ({ status: 503 }));
    const port = await freePort();
    const environment = { ...environmentOf(around), HEALTH_PORT: String(port) };
    const first = spawnWorker(around.directory, environment);
    await first.connected();
    await sayNumbers(around.simulator, [1, 40]);
    await waitUntil("the spool", async () => {
      const health = (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as { spool: { items: number } };
      // What is tried is on disk, and the place in the session with it.
      return health.spool.items === 40 && around.ingress.requests() > 0;
    });
    first.kill("SIGKILL");
    await first.exit;
    await sayNumbers(around.simulator, [41, 60]);
    around.ingress.intercept(null);
    const second = spawnWorker(around.directory, environment);
    await second.connected();
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 60).catch((error: Error) => {
      throw new Error(`${error.message}; there were ${textsIn(around.ingress)}. The worker said:\n${second.output()}`);
    });
    expect(textsIn(around.ingress)).toEqual(numbers(1, 60));
    expect(second.output()).toContain("Resumed the session");
    expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
  });

  test("N2 SIGTERM ends with 0 and leaves the session to the next process, as in a deploy", async () => {
    const around = await startSurroundings();
    const first = spawnWorker(around.directory, environmentOf(around));
    await first.connected();
    await sayNumbers(around.simulator, [1, 10]);
    await waitUntil("the messages", () => textsIn(around.ingress).length === 10);
    first.kill("SIGTERM");
    expect(await first.exit).toBe(0);
    expect(first.output()).toMatch(/"spooled":0,"msg":"Has left Discord/);
    await sayNumbers(around.simulator, [11, 20]);
    const second = spawnWorker(around.directory, environmentOf(around));
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 20);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 20));
    expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
    second.kill("SIGINT");
    expect(await second.exit).toBe(0);
  });

  test("H9 a refused token ends the process with 1 and a sentence that says what to do", async () => {
    const around = await startSurroundings();
    const token = "MTIz.wrong.token-that-nobody-may-see";
    const worker = spawnWorker(around.directory, { ...environmentOf(around), DISCORD_BOT_TOKEN: token });
    expect(await worker.exit).toBe(1);
    expect(worker.stderr()).toMatch(/^invalid_token: Discord refused the bot token\. .*DISCORD_BOT_TOKEN.*\n$/);
    expect(worker.output()).not.toContain(token);
  });

  test("H9 refused intents end the process with 1 and the switches to turn on", async () => {
    const around = await startSurroundings({ privilegedIntents: ["members"] });
    const worker = spawnWorker(around.directory, { ...environmentOf(around), LOG_LEVEL: "silent" });
    expect(await worker.exit).toBe(1);
    expect(worker.output()).toMatch(/^disallowed_intents: .*MESSAGE CONTENT INTENT.*Privileged Gateway Intents/);
  });

  for (const [code, name] of [
    [4010, "DISCORD_SHARD_COUNT"],
    [4011, "DISCORD_SHARD_COUNT"],
    [4012, "@discordjs/ws"],
    [4013, "DISCORD_INTENTS"],
    [4014, "DISCORD_INTENTS"],
  ] as const) {
    test(`H9 close ${code} ends the process with 1 and names ${name}`, async () => {
      const around = await startSurroundings();
      const worker = spawnWorker(around.directory, environmentOf(around));
      await worker.connected();
      await around.simulator.faults.closeSockets(code);
      expect(await worker.exit).toBe(1);
      expect(worker.stderr()).toContain(name);
      expect(worker.stderr()).toContain(`(Gateway close ${code})`);
    });
  }

  test("H9 a token that is reset while running ends the process with 1", async () => {
    const around = await startSurroundings();
    const worker = spawnWorker(around.directory, environmentOf(around));
    await worker.connected();
    await around.simulator.faults.closeSockets(4004);
    expect(await worker.exit).toBe(1);
    expect(worker.stderr()).toContain("invalid_token");
  });

  test("H9 names every variable that is missing or wrong, without its value", async () => {
    const around = await startSurroundings();
    const empty = spawnWorker(around.directory, {});
    expect(await empty.exit).toBe(1);
    for (const name of ["DISCORD_BOT_TOKEN", "API_PUBLIC_URL", "CONNECTOR_INGRESS_SECRET"]) {
      expect(empty.stderr()).toContain(`${name}: is missing`);
    }
    const short = spawnWorker(around.directory, { ...environmentOf(around), CONNECTOR_INGRESS_SECRET: "too-short" });
    expect(await short.exit).toBe(1);
    expect(short.stderr()).toContain("CONNECTOR_INGRESS_SECRET: must have at least 32 characters");
    expect(short.output()).not.toContain("too-short");
    const leasing = spawnWorker(around.directory, { ...environmentOf(around), SHARD_LEASES: "true" });
    expect(await leasing.exit).toBe(1);
    expect(leasing.stderr()).toContain("DISCORD_SHARD_COUNT");
    const many = Array.from({ length: 3 }, () => INGRESS_SECRET).join(",");
    const three = spawnWorker(around.directory, { ...environmentOf(around), CONNECTOR_INGRESS_SECRET: many });
    expect(await three.exit).toBe(1);
    expect(three.stderr()).toContain("CONNECTOR_INGRESS_SECRET: must be one secret, or two separated by a comma");
  });

  test("H9 a health port in use ends the process with 1 and names the port", async () => {
    const around = await startSurroundings();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const worker = spawnWorker(around.directory, { ...environmentOf(around), HEALTH_PORT: String(port) });
    expect(await worker.exit).toBe(1);
    expect(worker.stderr()).toContain(`health_port_in_use: Port ${port}`);
  });

  test("H9 SIGTERM ends a process that never reached Discord", async () => {
    const around = await startSurroundings();
    await around.simulator.faults.refuseConnections({ forMs: 60_000 });
    const worker = spawnWorker(around.directory, environmentOf(around));
    await waitUntil("a try", () => worker.output().includes("trying again"));
    worker.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
  });

  test("reads .env of the working directory, under the variables of the process", async () => {
    const around = await startSurroundings();
    const { DISCORD_BOT_TOKEN, ...rest } = environmentOf(around);
    const lines = Object.entries({ ...rest, DISCORD_BOT_TOKEN: "wrong", LOG_LEVEL: "silent" });
    writeFileSync(join(around.directory, ".env"), lines.map(([name, value]) => `${name}=${value}\n`).join(""));
    const worker = spawnWorker(around.directory, { DISCORD_BOT_TOKEN, LOG_LEVEL: "info" });
    await worker.connected();
  });
});
