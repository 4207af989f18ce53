import {
  type Surroundings,
  startSurroundings,
  textsIn,
} from "../../../../packages/connector-discord/test/gateway/support/running.js";
import type { WorkerProcess } from "./worker-process.js";

const GUILDS = 20;

/** What is between Discord and the API, as the script drives it. */
export interface Contestant {
  start(around: Surroundings): WorkerProcess;
  /** Resolves when nothing more is to be expected; `expected` messages were said. */
  settled(around: Surroundings, expected: number): Promise<void>;
}

/** Says messages in 20 guilds, round by round, while one thing after another breaks; answers what came of them. */
export async function runLossScript(contestant: Contestant, rounds: number) {
  const startedAtMs = performance.now();
  const around = await startSurroundings();
  const { simulator, ingress } = around;
  const channels = Array.from({ length: GUILDS }, (_, index) => `channel-${index}`);
  for (const channel of channels) {
    const { id } = await simulator.addGuild({ name: channel });
    await simulator.addChannel({ name: channel, guild: id });
    await simulator.member("anna").join(id);
  }
  let worker = contestant.start(around);
  await worker.connected();
  const troubles = { kills: 0, deploys: 0, droppedSockets: 0, ingressOutages: 0 };
  const restart = async (signal: "SIGKILL" | "SIGTERM") => {
    troubles[signal === "SIGKILL" ? "kills" : "deploys"] += 1;
    worker.kill(signal);
    await worker.exit;
    worker = contestant.start(around);
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
  for (let round = 0; round < rounds; round += 1) {
    await trouble.get((round * 50) / rounds)?.();
    for (const channel of channels) {
      await simulator.member("anna").say(channel, `${channel}:${round}`);
    }
    // Gives each trouble some traffic before the next one; nothing is decided by this time.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  const messages = GUILDS * rounds;
  await contestant.settled(around, messages);
  return {
    around,
    faults: countFaults(textsIn(ingress), { channels, rounds }),
    figures: { messages, guilds: GUILDS, ...troubles },
    seconds: Math.round((performance.now() - startedAtMs) / 1000),
  };
}

/** Compares what arrived with what each channel was told, round by round. */
function countFaults(
  arrived: readonly string[],
  told: { readonly channels: readonly string[]; readonly rounds: number },
) {
  const faults = { lost: 0, repeated: 0, outOfOrder: 0, invented: arrived.length };
  for (const channel of told.channels) {
    const rounds = arrived.filter((text) => text.startsWith(`${channel}:`)).map((text) => Number(text.split(":")[1]));
    const firsts = [...new Set(rounds)];
    const known = firsts.filter((round) => Number.isInteger(round) && round >= 0 && round < told.rounds);
    faults.lost += told.rounds - known.length;
    faults.repeated += rounds.length - firsts.length;
    faults.outOfOrder += known.filter((round, index) => round < Math.max(-1, ...known.slice(0, index))).length;
    faults.invented -= known.length + rounds.length - firsts.length;
  }
  return faults;
}
