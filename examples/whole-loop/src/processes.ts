import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { until } from "./until.js";

export interface ProcessOptions {
  readonly name: string;
  /** A JavaScript file for Node. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the process is ready. */
  readonly readyUrl: string;
}

export interface Processes {
  /** Starts one and waits until it is ready. */
  start(options: ProcessOptions): Promise<void>;
  /** Ends one at once, as a crash would. */
  kill(name: string): Promise<void>;
  /** Asks all to stop, newest first, and waits. */
  stop(): Promise<void>;
  /** Calls back when a process ends that nobody ended. */
  onUnexpectedExit(callback: (error: Error) => void): void;
}

const STOP_LIMIT_MS = 15_000;
/** A first start makes a database, and the machine may be busy. */
const START_LIMIT_MS = 90_000;

/** Runs the loop's processes, each with a log file of its own in `logDirectory`. */
export function createProcesses(options: { logDirectory: string; workingDirectory: string }): Processes {
  mkdirSync(options.logDirectory, { recursive: true });
  const running = new Map<string, ChildProcess>();
  const ending = new Set<string>();
  const listeners: ((error: Error) => void)[] = [];

  return {
    async start({ name, script, args = [], env, readyUrl }) {
      const logFile = join(options.logDirectory, `${name}.log`);
      const log = openSync(logFile, "w");
      const child = spawn(process.execPath, [script, ...args], {
        cwd: options.workingDirectory,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      ending.delete(name);
      running.set(name, child);
      const ended = new Promise<never>((_, reject) => {
        child.once("exit", (code, signal) => {
          running.delete(name);
          if (ending.has(name)) return;
          const tail = readFileSync(logFile, "utf8").trim().split("\n").slice(-12).join("\n");
          const error = new Error(
            `The ${name} process ended (${signal ?? `exit code ${code}`}). Its last words:\n${tail}`,
          );
          for (const listener of listeners) listener(error);
          reject(error);
        });
      });
      const ready = until(`${name} is ready at ${readyUrl}`, async () => (await fetch(readyUrl)).ok, START_LIMIT_MS);
      await Promise.race([ready, ended]);
    },

    async kill(name) {
      const child = running.get(name);
      if (!child) return;
      ending.add(name);
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
    },

    async stop() {
      const children = [...running].reverse();
      // All of them first: Ctrl+C reaches the children too, and their end is then no surprise.
      for (const [name] of children) ending.add(name);
      for (const [, child] of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exited = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        const force = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
        await exited;
        clearTimeout(force);
      }
    },

    onUnexpectedExit: (callback) => {
      listeners.push(callback);
    },
  };
}

/** A port that is free now; `wanted` itself where one is wanted. */
export function findPort(wanted: number, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new PortInUseError(
              `Port ${wanted} is in use, and the ${name} wants it. Stop what holds it, or set ${name.toUpperCase()}_PORT to another.`,
            )
          : error,
      );
    });
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}

export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
  readonly code = "port_in_use";
}
