import type { Dispatcher } from "../../src/index.js";
import { until } from "../open-dispatcher.js";
import { type ChaosProcess, type ChaosProcessOptions, PATIENCE_SECONDS, startChaosProcess } from "./chaos-process.js";

export interface KillingOptions {
  readonly processes: Pick<ChaosProcessOptions, "url" | "schema" | "directUrl" | "isDatabaseKilled">;
  readonly kills: number;
  /** Processes that run side by side. */
  readonly sideBySide: number;
  /** Every tenth process is stopped for so long, goes on and is killed then; 0 for none. */
  readonly pauseMs: number;
  /** Before a process is killed that has published. */
  readonly beforeKill?: () => Promise<void>;
  readonly random: () => number;
}

/** What keeps the numbers of two processes apart. */
const NUMBERS_OF_A_PROCESS = 1_000_000;

/** Starts processes and kills each of them at some point, some while they start; answers when all are dead. */
export async function killProcesses(options: KillingOptions): Promise<readonly ChaosProcess[]> {
  const { kills, sideBySide, pauseMs, random } = options;
  const processes: ChaosProcess[] = [];
  const killOneAfterAnother = async (place: number): Promise<void> => {
    while (processes.length < kills) {
      const number = processes.length;
      const process = startChaosProcess({
        ...options.processes,
        owner: `process ${number}`,
        first: number * NUMBERS_OF_A_PROCESS,
        keys: [null, null, `key ${place}a`, `key ${place}b`],
      });
      processes.push(process);
      const isKilledAtStart = number % 6 === 5;
      // By its events and not by time alone: on a busy machine it gets less done.
      if (!isKilledAtStart) await process.published(1 + Math.floor(random() * 40));
      await sleep(random() * (isKilledAtStart ? 1_000 : 50));
      if (!isKilledAtStart) await options.beforeKill?.();
      if (number % 10 === 9 && pauseMs > 0) {
        await process.pause(pauseMs);
        await sleep(random() * 100);
      }
      await process.kill();
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, (_, place) => killOneAfterAnother(place)));
  return processes;
}

/** Lets a living dispatcher take over what the dead ones left. */
export async function drain(dispatcher: Dispatcher): Promise<void> {
  await dispatcher.start();
  await until(async () => {
    const { deliveries } = await dispatcher.deliveries.list({ tenantId: "acme", status: "pending", limit: 1 });
    return deliveries.length === 0;
  }, PATIENCE_SECONDS);
  await dispatcher.stop();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
