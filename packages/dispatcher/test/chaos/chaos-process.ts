import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "../open-dispatcher.js";
import { CHAOS_OPTIONS } from "./chaos-options.js";

/** For a process on a busy machine to do what it has to. */
export const PATIENCE_SECONDS = 90;

const PROGRAM = fileURLToPath(new URL("./chaos-worker.mjs", import.meta.url));

/** A process that publishes and delivers until it is killed, and what it said before. */
export interface ChaosProcess {
  /** Its connections' name in the database. */
  readonly owner: string;
  /** What it knows to be committed, or rolled back. */
  readonly committed: readonly number[];
  readonly rolledBack: readonly number[];
  readonly logged: readonly string[];
  readonly killedAtMs: number | null;
  /** Resolves when it has published so often, or rejects when it ended before that. */
  published(times: number): Promise<void>;
  /** SIGKILL; resolves when it is gone, and rejects when it had ended before by itself. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after so many milliseconds. */
  pause(durationMs: number): Promise<void>;
}

export interface ChaosProcessOptions {
  readonly url: string;
  readonly schema: string;
  readonly owner: string;
  /** The lowest number that it gives to an event. */
  readonly first: number;
  /** Where direct sends go. */
  readonly directUrl: string;
  /** One stream of events for each, in its order; null is a stream without order. */
  readonly keys: readonly (string | null)[];
  /** Then it says `unknown` of what failed, and goes on. */
  readonly isDatabaseKilled: boolean;
}

export function startChaosProcess(options: ChaosProcessOptions): ChaosProcess {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ ...options, options: CHAOS_OPTIONS })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { committed: [] as number[], "rolled-back": [] as number[], unknown: [] as number[] };
  const logged: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [what, n] = line.split(" ");
    if (what === "logged") logged.push(line);
    else said[what as keyof typeof said].push(Number(n));
  });
  // Its output ends after what it has said was read.
  const ended = Promise.all([once(child, "exit"), once(child.stdout, "close")]);
  let killedAtMs: number | null = null;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    owner: options.owner,
    committed: said.committed,
    rolledBack: said["rolled-back"],
    logged,
    get killedAtMs() {
      return killedAtMs;
    },
    async published(times) {
      await until(() => said.committed.length >= times || hasEnded(), PATIENCE_SECONDS);
      if (hasEnded()) throw new Error(`${options.owner} ended by itself: ${logged.join("; ")}`);
    },
    async kill() {
      child.kill("SIGKILL");
      const [[code]] = await ended;
      killedAtMs = Date.now();
      if (code !== null) throw new Error(`${options.owner} ended by itself with ${code}: ${logged.join("; ")}`);
    },
    async pause(durationMs) {
      child.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, durationMs));
      child.kill("SIGCONT");
    },
  };
}
