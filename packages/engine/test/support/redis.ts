import { spawn, spawnSync } from "node:child_process";
import { createConnection, createServer } from "node:net";

/** Whether tests can have a Redis here; a build server has to. */
export const hasRedis =
  process.env.REDIS_URL !== undefined ||
  spawnSync("redis-server", ["--version"]).status === 0 ||
  process.env.CI === "true";

export interface TestRedis {
  readonly url: string;
  stop(): void;
}

/** The Redis that the environment names, unless the test wants one that it can stop; else one of its own. */
export async function startRedis({ own = false } = {}): Promise<TestRedis> {
  const given = process.env.REDIS_URL;
  if (given && !own) return { url: given, stop: () => {} };
  const port = await freePort();
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    { stdio: "ignore" },
  );
  for (let tries = 0; tries < 200 && !(await listens(port)); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => void server.kill("SIGKILL") };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.end();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
