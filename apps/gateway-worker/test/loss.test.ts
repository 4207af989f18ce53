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
  const troubles = { kills: 0, deploys: 0, droppedSockets: 0, ingressOutages: 0 };
  const restart = async (signal: "SIGKILL" | "SIGTERM") => {
    troubles[signal === "SIGKILL" ? "kills" : "deploys"] += 1;
    worker.kill(signal);
    await worker.exit;
    worker = start();
  };

  const dropSockets = () => {
    troubles.droppedSockets += 1;
    return simulator.faults.dropSockets();
  };
  const takeIngressDown = () => {
    troubles.ingressOutages += 1;
    return ingress.down();
  };

  /** By the round of fifty. */
  const trouble = new Map<number, () => Promise<unknown>>([
    [5, dropSockets],
    [8, takeIngressDown],
    [10, () => restart("SIGKILL")],
    [14, () => ingress.up()],
    [16, dropSockets],
    [18, () => restart("SIGTERM")],
    [22, dropSockets],
    [24, () => restart("SIGKILL")],
    [28, takeIngressDown],
    [30, dropSockets],
    [33, () => restart("SIGTERM")],
    [36, () => ingress.up()],
    [40, () => restart("SIGKILL")],
    [45, dropSockets],
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    await trouble.get((round * 50) / ROUNDS)?.();
    for (const channel of channels) {
      await simulator.member("anna").say(channel, `${channel}:${round}`);
    }
    // Gives each trouble some traffic before the next one; nothing is decided by this time.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  await waitUntil("all messages", () => new Set(textsIn(ingress)).size >= GUILDS * ROUNDS, 60_000 + ROUNDS * 200);
  const faults = countFaults(channels, textsIn(ingress));
  expect(faults).toEqual({ lost: 0, repeated: 0, outOfOrder: 0, invented: 0 });
  expect(gapsIn(ingress)).toEqual([]);
  expect((await simulator.state()).gateway.identifiesLeft).toBe(999);
  keepFigures("gateway worker", {
    messages: GUILDS * ROUNDS,
    guilds: GUILDS,
    ...troubles,
    ...faults,
    seconds: Math.round((performance.now() - startedAtMs) / 1000),
  });
});

/** Compares what arrived with what each channel was told, round by round. */
function countFaults(channels: readonly string[], arrived: readonly string[]) {
  const faults = { lost: 0, repeated: 0, outOfOrder: 0, invented: arrived.length };
  for (const channel of channels) {
    const rounds = arrived.filter((text) => text.startsWith(`${channel}:`)).map((text) => Number(text.split(":")[1]));
    const firsts = [...new Set(rounds)];
    const told = firsts.filter((round) => Number.isInteger(round) && round >= 0 && round < ROUNDS);
    faults.lost += ROUNDS - told.length;
    faults.repeated += rounds.length - firsts.length;
    faults.outOfOrder += told.filter((round, index) => round < Math.max(-1, ...told.slice(0, index))).length;
    faults.invented -= told.length + rounds.length - firsts.length;
  }
  return faults;
}
