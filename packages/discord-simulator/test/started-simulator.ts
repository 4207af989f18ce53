import { afterEach } from "vitest";
import { createDiscordSimulator, type DiscordSimulator, type DiscordSimulatorOptions } from "../src/index.js";

/** Starts simulators that are closed after the test. */
export function simulatorFactory(): (options?: DiscordSimulatorOptions) => Promise<DiscordSimulator> {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });
  return async (options = {}) => {
    const simulator = createDiscordSimulator(options);
    cleanups.push(() => simulator.close());
    await simulator.start();
    return simulator;
  };
}

/** Polls until the condition holds; fails after the deadline. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error("the condition did not come true in time");
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
