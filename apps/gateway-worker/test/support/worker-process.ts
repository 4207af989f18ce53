import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { waitUntil } from "../../../../packages/connector-discord/test/gateway/support/wait-until.js";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface WorkerProcess {
  /** Both streams so far. */
  output(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** The exit code; null after a signal. */
  readonly exit: Promise<number | null>;
  /** Until it is connected, with a new session or the old one. */
  connected(): Promise<void>;
}

/** Runs the built app as an operator would: with nothing but its environment. */
export function spawnWorker(directory: string, environment: Record<string, string | undefined>): WorkerProcess {
  return spawnProgram(main, directory, environment);
}

/** Runs a program that says `Connected to Discord` as the app does. */
export function spawnProgram(
  file: string,
  directory: string,
  environment: Record<string, string | undefined>,
): WorkerProcess {
  const child = spawn(process.execPath, [file], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let stderr = "";
  let running = true;
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    stderr += chunk.toString();
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      running = false;
      resolve(code);
    });
  });
  onTestFinished(async () => {
    if (running) {
      child.kill("SIGKILL");
      await exit;
    }
  });
  return {
    output: () => output,
    stderr: () => stderr,
    kill: (signal) => {
      child.kill(signal);
    },
    exit,
    async connected() {
      await waitUntil("the worker's connection", () => {
        if (!running) {
          throw new Error(`The worker ended:\n${output}`);
        }
        return /Connected to Discord|Resumed the session/.test(output);
      });
    },
  };
}
