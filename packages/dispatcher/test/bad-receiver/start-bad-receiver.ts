import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const PROGRAM = fileURLToPath(new URL("./bad-receiver.mjs", import.meta.url));

/** What the program knows of one path. */
export interface BadReceiverNote {
  readonly requests: number;
  /** The ids of the events that it answered with a success. */
  readonly accepted: readonly string[];
  readonly writtenBytes: number;
  /** Connections that are gone on which the path was asked for. */
  readonly closed: number;
}

/** A process that answers badly: `behaviours.mjs` says how, by path. It ends with the test. */
export interface BadReceiver {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Takes connections and closes them. */
  readonly closingOrigin: string;
  seen(): Promise<Readonly<Record<string, BadReceiverNote>>>;
  /** From now on it answers 204. */
  mend(): Promise<void>;
}

export async function startBadReceiver(): Promise<BadReceiver> {
  const program = fork(PROGRAM, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  onTestFinished(() => void program.kill("SIGKILL"));
  const waiting = new Map<number, (answer: unknown) => void>();
  program.on("message", ({ ask, answer }: { ask: number; answer: unknown }) => {
    waiting.get(ask)?.(answer);
    waiting.delete(ask);
  });
  const answerTo = <T>(ask: number) =>
    new Promise<T>((resolve) => waiting.set(ask, resolve as (answer: unknown) => void));
  const { port, closingPort } = await answerTo<{ port: number; closingPort: number }>(0);
  let asked = 0;
  const ask = <T>(question: string): Promise<T> => {
    asked += 1;
    program.send({ ask: asked, question });
    return answerTo<T>(asked);
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    closingOrigin: `http://127.0.0.1:${closingPort}`,
    seen: () => ask("seen"),
    mend: () => ask("mend"),
  };
}
