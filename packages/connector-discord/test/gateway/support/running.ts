import {
  createDiscordSimulator,
  type DiscordSimulator,
  type DiscordSimulatorOptions,
} from "@hookline/discord-simulator";
import { onTestFinished } from "vitest";
import { createDiscordGatewayWorker, type GatewayWorkerOptions } from "../../../src/gateway/index.js";
import type { IngressGap } from "../../../src/ingress-contract.js";
import { INGRESS_SECRET, type IngressServer, startIngressServer } from "./ingress-server.js";
import { createRecordingLogger } from "./recording-logger.js";
import { temporaryDirectory } from "./temporary-directory.js";

export interface Surroundings {
  readonly simulator: DiscordSimulator;
  readonly ingress: IngressServer;
  readonly directory: string;
}

/** A Discord, an API's ingress and a directory for the spool. */
export async function startSurroundings(options: DiscordSimulatorOptions = {}): Promise<Surroundings> {
  const simulator = createDiscordSimulator(options);
  await simulator.start();
  onTestFinished(() => simulator.close());
  const ingress = await startIngressServer();
  onTestFinished(() => ingress.close());
  return { simulator, ingress, directory: await temporaryDirectory() };
}

export function createWorker(around: Surroundings, options: Partial<GatewayWorkerOptions> = {}) {
  const logger = createRecordingLogger();
  const worker = createDiscordGatewayWorker({
    botToken: around.simulator.application.botToken,
    apiPublicUrl: around.ingress.url,
    ingressSecret: INGRESS_SECRET,
    spoolDirectory: around.directory,
    restBaseUrl: `${around.simulator.url}/api`,
    retryBackoff: { minMs: 10, maxMs: 100 },
    drainTimeoutMs: 1_000,
    logger,
    ...options,
  });
  onTestFinished(() => worker.stop());
  return { worker, logger };
}

export async function startWorker(around: Surroundings, options: Partial<GatewayWorkerOptions> = {}) {
  const made = createWorker(around, options);
  await made.worker.start();
  return made;
}

/** Says the numbers from `from` to `to`, each a message of its own. */
export async function sayNumbers(
  simulator: DiscordSimulator,
  [from, to]: readonly [number, number],
  channel = "general",
): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    await simulator.member("anna").say(channel, String(number));
  }
}

/** The texts that arrived, in the order in which they did. */
export function textsIn(ingress: IngressServer): readonly string[] {
  return ingress.stored
    .filter((item) => item.type === "MESSAGE_CREATE")
    .map((item) => (item.d as { content: string }).content);
}

export function numbers(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

export function gapsIn(ingress: IngressServer): readonly IngressGap[] {
  return ingress.stored.filter((item) => item.type === "HOOKLINE_GAP").map((item) => item.d as IngressGap);
}
