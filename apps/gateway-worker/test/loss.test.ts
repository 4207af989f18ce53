import { expect, test } from "vitest";
import { INGRESS_SECRET } from "../../../packages/connector-discord/test/gateway/support/ingress-server.js";
import {
  gapsIn,
  startSurroundings,
  textsIn,
} from "../../../packages/connector-discord/test/gateway/support/running.js";
import { waitUntil } from "../../../packages/connector-discord/test/gateway/support/wait-until.js";
import { isFullChaos, keepFigures } from "../../../test/chaos-figures.js";
import { spawnWorker } from "./support/worker-process.js";

const GUILDS = 20;
/** In how many rounds each guild hears of something: 50, and 500 in `npm run test:chaos`. */
const ROUNDS = isFullChaos ? 500 : 50;
const TITLE = `N2 ${GUILDS * ROUNDS} messages of ${GUILDS} guilds all arrive once and in order, whatever breaks`;

test(TITLE, { timeout: ROUNDS * 2_400 }, async () => {
  const startedAtMs = performance.now();
  const around = await startSurroundings();
  const { simulator, ingress, directory } = around;
  const channels = Array.from({ length: GUILDS }, (_, index) => `channel-${index}`);
  for (const channel of channels) {
    const { id } = await simulator.addGuild({ name: channel });
    await simulator.addChannel({ name: channel, guild: id });
    await simulator.member("anna").join(id);
  }
  const start = () =>
    spawnWorker(directory, {
      DISCORD_BOT_TOKEN: simulator.application.botToken,
      DISCORD_API_BASE_URL: `${simulator.url}/api`,
      API_PUBLIC_URL: ingress.url,
      CONNECTOR_INGRESS_SECRET: INGRESS_SECRET,
      LOG_LEVEL: "info",
    });
  let worker = start();
  await worker.connected();
  const restart = async (signal: NodeJS.Signals) => {
    worker.kill(signal);
    await worker.exit;
    worker = start();
  };

  /** By the round of fifty. */
  const trouble = new Map<number, () => Promise<unknown>>([
    [5, () => simulator.faults.dropSockets()],
    [8, () => ingress.down()],
    [10, () => restart("SIGKILL")],
    [14, () => ingress.up()],
    [16, () => simulator.faults.dropSockets()],
    [18, () => restart("SIGTERM")],
    [22, () => simulator.faults.dropSockets()],
    [24, () => restart("SIGKILL")],
    [28, () => ingress.down()],
    [30, () => simulator.faults.dropSockets()],
    [33, () => restart("SIGTERM")],
    [36, () => ingress.up()],
    [40, () => restart("SIGKILL")],
    [45, () => simulator.faults.dropSockets()],
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    await trouble.get((round * 50) / ROUNDS)?.();
    for (const channel of channels) {
      await simulator.member("anna").say(channel, `${channel}:${round}`);
    }
    // Gives each trouble some traffic before the next one; nothing is decided by this time.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  await waitUntil("all messages", () => textsIn(ingress).length >= GUILDS * ROUNDS, 60_000 + ROUNDS * 200);
  for (const channel of channels) {
    const arrived = textsIn(ingress).filter((text) => text.startsWith(`${channel}:`));
    expect(arrived).toEqual(Array.from({ length: ROUNDS }, (_, round) => `${channel}:${round}`));
  }
  expect(gapsIn(ingress)).toEqual([]);
  expect((await simulator.state()).gateway.identifiesLeft).toBe(999);
  keepFigures("gateway worker", {
    messages: GUILDS * ROUNDS,
    guilds: GUILDS,
    kills: 3,
    deploys: 2,
    droppedSockets: 5,
    ingressOutages: 2,
    lost: 0,
    repeated: 0,
    outOfOrder: 0,
    seconds: Math.round((performance.now() - startedAtMs) / 1000),
  });
});
