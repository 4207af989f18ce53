import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { INGRESS_SECRET } from "../../../packages/connector-discord/test/gateway/support/ingress-server.js";
import {
  gapsIn,
  type Surroundings,
  textsIn,
} from "../../../packages/connector-discord/test/gateway/support/running.js";
import { waitUntil } from "../../../packages/connector-discord/test/gateway/support/wait-until.js";
import { isFullChaos, keepFigures } from "../../../test/chaos-figures.js";
import { type Contestant, runLossScript } from "./support/loss-script.js";
import { spawnProgram, spawnWorker } from "./support/worker-process.js";

/** In how many rounds each of 20 guilds hears of something: 50, and 500 in `npm run test:chaos`. */
const ROUNDS = isFullChaos ? Number(process.env.CHAOS_ROUNDS ?? 500) : 50;
const TIMEOUT_MS = ROUNDS * 2_400;
const QUIET_MS = 3_000;

const ours: Contestant = {
  start: ({ simulator, ingress, directory }) =>
    spawnWorker(directory, {
      DISCORD_BOT_TOKEN: simulator.application.botToken,
      DISCORD_API_BASE_URL: `${simulator.url}/api`,
      API_PUBLIC_URL: ingress.url,
      CONNECTOR_INGRESS_SECRET: INGRESS_SECRET,
      LOG_LEVEL: "info",
    }),
  settled: async ({ ingress }, expected) => {
    await waitUntil("all messages", () => new Set(textsIn(ingress)).size >= expected, 60_000 + ROUNDS * 200);
  },
};

const postPerPacket: Contestant = {
  start: ({ simulator, ingress, directory }) =>
    spawnProgram(fileURLToPath(new URL("./support/post-per-packet.mjs", import.meta.url)), directory, {
      DISCORD_BOT_TOKEN: simulator.application.botToken,
      DISCORD_API_BASE_URL: `${simulator.url}/api`,
      INGRESS_URL: `${ingress.url}/v1/connectors/discord/ingress`,
      INGRESS_SECRET,
    }),
  settled: untilQuiet,
};

/** Until nothing has come for a while: nobody knows what is still to come. */
async function untilQuiet({ ingress }: Surroundings): Promise<void> {
  let seen = ingress.requests();
  let sinceMs = performance.now();
  await waitUntil("quiet", () => {
    if (ingress.requests() !== seen) {
      seen = ingress.requests();
      sinceMs = performance.now();
    }
    return performance.now() - sinceMs > QUIET_MS;
  });
}

const TITLE = `N2 ${20 * ROUNDS} messages of 20 guilds all arrive once and in order, whatever breaks`;

test(TITLE, { timeout: TIMEOUT_MS }, async () => {
  const { around, faults, figures, seconds } = await runLossScript(ours, ROUNDS);
  expect(faults).toEqual({ lost: 0, repeated: 0, outOfOrder: 0, invented: 0 });
  expect(gapsIn(around.ingress)).toEqual([]);
  expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
  keepFigures("gateway worker", { ...figures, ...faults, seconds });
});

const COMPARISON = "N2 the same with one unawaited POST for each packet loses messages, and nobody is told";

// Nothing of ours: a part of the full chaos run alone.
if (isFullChaos) {
  test(COMPARISON, { timeout: TIMEOUT_MS }, async () => {
    const { around, faults, figures, seconds } = await runLossScript(postPerPacket, ROUNDS);
    expect(faults).toMatchObject({ invented: 0 });
    expect(faults.lost).toBeGreaterThan(0);
    expect(gapsIn(around.ingress)).toEqual([]);
    keepFigures("gateway by one POST per packet", { ...figures, ...faults, seconds });
  });
}
