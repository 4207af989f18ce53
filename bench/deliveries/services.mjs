// What the contestants need beside their own process: a Postgres and a Redis of the bench's own, and the receiver.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPrivatePostgres } from "@hookline/postgres/testing";
import { generateSecret } from "@hookline/webhook-signing";
import pg from "pg";
import { startProgram } from "./program.mjs";

/** Postgres as it comes, with fsync. The names are settings of postgresql.conf. */
const POSTGRES_SETTINGS = { shared_buffers: "128MB" };
const ORIGINS = 4;

/**
 * @returns {Promise<{ receiver: import("./program.mjs").Program, target: Target, close: () => Promise<void> }>}
 *
 * @typedef {object} Target where every contestant sends, and how it signs
 * @property {string} secret
 * @property {readonly string[]} urls one for each origin
 * @property {number} [hanging] how many of the last ones never answer
 */
export async function startReceiver() {
  const receiver = startProgram("./receiver.program.mjs");
  const secret = generateSecret();
  const { port } = await receiver.call("open", { secret });
  const urls = Array.from(
    { length: ORIGINS },
    (_, index) => `http://receiver-${index + 1}.bench.test:${port}/webhooks`,
  );
  return { receiver, target: { secret, urls }, close: () => receiver.end() };
}

/**
 * @typedef {object} Server
 * @property {string} url of the server's first database
 * @property {string} version
 * @property {number} pid of the process that all others of the server come from
 * @property {(name: string) => Promise<string>} createDatabase answers its URL
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Server>} */
export async function startPostgres() {
  const server = await startPrivatePostgres({ fsync: true, settings: POSTGRES_SETTINGS });
  const [{ version, folder }] = await queryOnce(
    server.url,
    "select current_setting('server_version') as version, current_setting('data_directory') as folder",
  );
  return {
    url: server.url,
    version,
    pid: Number(readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n", 1)[0]),
    async createDatabase(name) {
      await queryOnce(server.url, `create database "${name}"`);
      return server.url.replace(/\/postgres$/, `/${name}`);
    },
    close: () => server.stop(),
  };
}

/** Runs one statement on a connection of its own. */
export async function queryOnce(url, text, values) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(text, values);
    return rows;
  } finally {
    await client.end();
  }
}

/**
 * A Redis that keeps what it is told, as BullMQ's documentation advises for production: an append-only file, synced
 * once a second.
 */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "hookline-bench-redis-"));
  const port = await freePort();
  const settings = { bind: "127.0.0.1", dir: folder, save: "", appendonly: "yes", appendfsync: "everysec" };
  const args = Object.entries({ port, ...settings, "maxmemory-policy": "noeviction" });
  const server = spawn(
    "redis-server",
    args.flatMap(([name, value]) => [`--${name}`, String(value)]),
    {
      stdio: "ignore",
    },
  );
  const failed = new Promise((_, reject) => {
    server.once("error", (error) => reject(new Error("redis-server is needed for BullMQ.", { cause: error })));
  });
  await Promise.race([untilListening(port), failed]);
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid,
    async close() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function untilListening(port) {
  const deadline = performance.now() + 10_000;
  while (!(await listens(port))) {
    if (performance.now() > deadline) throw new Error("redis-server does not answer.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
