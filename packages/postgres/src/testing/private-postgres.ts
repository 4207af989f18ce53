import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { findPostgresBinaries } from "./environment.js";

/** A Postgres server of one's own, in a temporary directory, on a free port of 127.0.0.1, without a password. */
export interface PrivatePostgres {
  readonly url: string;
  /** Ends it as a crash does (SIGKILL); its data stays for {@link PrivatePostgres.restart}. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port and data. */
  restart(): Promise<void>;
  /** Stops it and removes its data. It also goes when this process ends in any way. */
  stop(): Promise<void>;
}

/** Options of {@link startPrivatePostgres}. */
export interface PrivatePostgresOptions {
  /** Real durability, for tests of crashes (false: fast). */
  readonly fsync?: boolean;
  /** Further settings of the server, such as `{ max_connections: "20" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where `initdb` and `postgres` are; found by itself when absent. */
  readonly binaries?: string;
}

const START_TIMEOUT_MS = 30_000;

/** Starts a {@link PrivatePostgres}; takes about two seconds. Throws when there are no binaries. */
export async function startPrivatePostgres(options: PrivatePostgresOptions = {}): Promise<PrivatePostgres> {
  const binaries = options.binaries ?? findPostgresBinaries();
  if (binaries === undefined) throw new Error("There are no Postgres binaries (initdb, postgres) on this machine.");
  const owner = ownerOf();
  const home = mkdtempSync(join(tmpdir(), "hookline-postgres-"));
  if (owner.uid !== undefined) chownSync(home, owner.uid, owner.gid ?? -1);
  const data = join(home, "data");
  const watcher = watchOver(home);
  try {
    const initdbArgs = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await promisify(execFile)(join(binaries, "initdb"), initdbArgs, { ...owner, cwd: home });
    const port = await freePort();
    const args = serverArgs(options, { data, home, port });
    const start = () => startServer(join(binaries, "postgres"), args, { owner, home, port });
    let server = await start();
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async kill() {
        await endServer(server, "SIGKILL");
      },
      async restart() {
        await endServer(server, "SIGINT");
        server = await start();
      },
      async stop() {
        await endServer(server, "SIGINT");
        await watcher.end();
      },
    };
  } catch (error) {
    await watcher.end();
    throw error;
  }
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** Postgres refuses to run as root, so root runs it as somebody else. */
function ownerOf(): Owner {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const entry = ["postgres:", "nobody:"].map((name) => lines.find((line) => line.startsWith(name))).find(Boolean);
  const [, , uid, gid] = entry?.split(":") ?? [];
  if (uid === undefined) throw new Error("Postgres refuses to run as root, and there is no user postgres or nobody.");
  return { uid: Number(uid), gid: Number(gid) };
}

/** A small process of its own that removes server and data once its input closes, as it does when we are killed. */
function watchOver(home: string): { end(): Promise<void> } {
  const script = `
    cat > /dev/null
    pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
    for turn in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    rm -rf "$1"`;
  const watcher = spawn("/bin/sh", ["-c", script, "watch", home], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: tmpdir(),
  });
  watcher.unref();
  return {
    async end() {
      const ended = exited(watcher);
      watcher.ref();
      watcher.stdin?.end();
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface ServerPlace {
  readonly data: string;
  readonly home: string;
  readonly port: number;
}

function serverArgs(options: PrivatePostgresOptions, { data, home, port }: ServerPlace): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: home,
    fsync: options.fsync ? "on" : "off",
    full_page_writes: options.fsync ? "on" : "off",
    shared_buffers: "32MB",
    ...options.settings,
  };
  return [
    "-D",
    data,
    "-p",
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

async function startServer(
  binary: string,
  args: readonly string[],
  { owner, home, port }: { readonly owner: Owner; readonly home: string; readonly port: number },
): Promise<ChildProcess> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const server = spawn(binary, args, { ...owner, cwd: home, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    server.stderr?.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-2000);
    });
    server.unref();
    if (await answers(server, port, deadline)) return server;
    await endServer(server, "SIGKILL");
    // After a kill the old backends hold the shared memory for a moment.
    if (Date.now() > deadline || !log.includes("shared memory")) throw new Error(`Postgres did not start: ${log}`);
    await delay(100);
  }
}

async function answers(server: ChildProcess, port: number, deadline: number): Promise<boolean> {
  while (Date.now() < deadline && server.exitCode === null && server.signalCode === null) {
    const client = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
    client.on("error", () => undefined);
    const ready = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    if (ready) return true;
    await delay(50);
  }
  return false;
}

async function endServer(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = exited(server);
  server.ref();
  server.kill(signal);
  await ended;
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
