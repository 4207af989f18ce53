import type { SimulatorFaults } from "@hookline/discord-simulator";
import { describe, expect, test } from "vitest";
import { DISCORD_INTENTS } from "../../src/provider.js";
import {
  createWorker,
  gapsIn,
  numbers,
  sayNumbers,
  startSurroundings,
  startWorker,
  textsIn,
} from "./support/running.js";
import { waitUntil } from "./support/wait-until.js";

const RESUMABLE: [string, (faults: SimulatorFaults) => Promise<unknown>][] = [
  ["a dropped socket", (faults) => faults.dropSockets()],
  ["op 7", (faults) => faults.askToReconnect()],
  ["op 9 with true", (faults) => faults.invalidateSessions({ resumable: true })],
  ["close 4000", (faults) => faults.closeSockets(4000)],
  ["close 4008", (faults) => faults.closeSockets(4008)],
  ["close 4009", (faults) => faults.closeSockets(4009)],
  ["close 1000 by Discord, as long as it keeps the session", (faults) => faults.closeSockets(1000)],
];

describe("sessions of the gateway worker", () => {
  test.each(RESUMABLE)("N2 resumes after %s, and nothing is lost or out of order", async (_, fault) => {
    const around = await startSurroundings();
    const { worker } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 20]);
    await fault(around.simulator.faults);
    await sayNumbers(around.simulator, [21, 40]);
    await waitUntil("a RESUME", () => worker.stats().gateway.resumes >= 1);
    await sayNumbers(around.simulator, [41, 60]);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 60);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 60));
    expect(worker.stats().gateway).toMatchObject({ identifies: 1, gaps: 0 });
  });

  test("N2 resumes after an outage of Discord of some seconds", async () => {
    const around = await startSurroundings();
    const { worker } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 10]);
    await around.simulator.faults.refuseConnections({ forMs: 3_000 });
    await sayNumbers(around.simulator, [11, 30]);
    await waitUntil("a RESUME", () => worker.stats().gateway.resumes === 1);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 30);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 30));
    expect(worker.stats().gateway).toMatchObject({ identifies: 1, gaps: 0 });
  });

  test("N2 stop() leaves a session that the next start resumes", async () => {
    const around = await startSurroundings();
    const first = await startWorker(around);
    await sayNumbers(around.simulator, [1, 10]);
    await first.worker.stop();
    expect(first.worker.stats().state).toBe("stopped");
    await waitUntil("the close", async () => (await around.simulator.state()).gateway.connections === 0);
    await sayNumbers(around.simulator, [11, 30]);

    const second = await startWorker(around);
    await sayNumbers(around.simulator, [31, 35]);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 35);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 35));
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 0, resumes: 1, gaps: 0 });
    expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
  });

  test("N2 stop() right behind a dropped socket leaves the session as well", async () => {
    const around = await startSurroundings();
    const first = await startWorker(around);
    await sayNumbers(around.simulator, [1, 5]);
    await around.simulator.faults.dropSockets();
    await first.worker.stop();
    await sayNumbers(around.simulator, [6, 10]);
    const second = await startWorker(around);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 10);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 10));
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 0, resumes: 1 });
  });

  test("N2 tells the API from when to when packets may be missing when Discord gave the session up", async () => {
    const around = await startSurroundings();
    const { worker, logger } = await startWorker(around);
    const startedAt = Date.now();
    await sayNumbers(around.simulator, [1, 3]);
    await waitUntil("the first messages", () => textsIn(around.ingress).length === 3);
    await around.simulator.faults.invalidateSessions({ resumable: false });
    const [gap] = await waitUntil("the gap", () => (gapsIn(around.ingress).length > 0 ? gapsIn(around.ingress) : null));
    const guild = (await around.simulator.state()).guilds[0]?.id;
    expect(gap).toMatchObject({ reason: "session_invalid", guildIds: [guild] });
    expect(Date.parse(gap?.from ?? "")).toBeGreaterThanOrEqual(startedAt);
    expect(Date.parse(gap?.to ?? "")).toBeGreaterThan(Date.parse(gap?.from ?? ""));
    expect(worker.stats().gateway).toMatchObject({ identifies: 2, gaps: 1 });
    expect(logger.lines.some((line) => line.level === "error" && line.message.includes("missing"))).toBe(true);
    await sayNumbers(around.simulator, [4, 5]);
    await waitUntil("later messages", () => textsIn(around.ingress).length === 5);
    expect(gapsIn(around.ingress)).toHaveLength(1);
  });

  test("N2 a session that ran out while the worker was down becomes a gap", async () => {
    const around = await startSurroundings({ sessionKeepMs: 50 });
    const first = await startWorker(around);
    await sayNumbers(around.simulator, [1, 2]);
    await waitUntil("the messages", () => textsIn(around.ingress).length === 2);
    await first.worker.stop();
    await waitUntil("the end of the session", async () => (await around.simulator.state()).gateway.sessions === 0);
    const second = await startWorker(around);
    await waitUntil("the gap", () => gapsIn(around.ingress).length === 1);
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 1, resumes: 0, gaps: 1 });
    expect(textsIn(around.ingress)).toEqual(numbers(1, 2));
  });

  test("a first start is no gap", async () => {
    const around = await startSurroundings();
    const { worker } = await startWorker(around);
    await sayNumbers(around.simulator, [1, 1]);
    await waitUntil("the message", () => textsIn(around.ingress).length === 1);
    expect(worker.stats().gateway.gaps).toBe(0);
    expect(gapsIn(around.ingress)).toEqual([]);
  });

  test("identifies anew when the intents have changed, since a resumed session keeps the old ones", async () => {
    const around = await startSurroundings();
    const first = await startWorker(around, { intents: DISCORD_INTENTS | (1 << 8) });
    await first.worker.stop();
    const second = await startWorker(around);
    await waitUntil("the gap", () => gapsIn(around.ingress)[0]?.reason === "intents_changed");
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 1, resumes: 0 });
  });

  test("N2 a full spool makes the worker leave Discord, and it resumes without loss when there is room", async () => {
    const around = await startSurroundings();
    await around.ingress.down();
    const { worker, logger } = await startWorker(around, { spoolLimit: { maxItems: 25 } });
    await sayNumbers(around.simulator, [1, 100]);
    await waitUntil("the pause", () => worker.stats().state === "paused");
    expect(worker.stats().spool).toMatchObject({ items: 25, full: true });
    expect(logger.lines.some((line) => line.level === "error" && line.message.includes("spool is full"))).toBe(true);
    await waitUntil("the close", async () => (await around.simulator.state()).gateway.connections === 0);
    await around.ingress.up();
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 100, 25_000);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 100));
    await waitUntil("the connection", () => worker.stats().state === "running");
    expect(worker.stats().gateway).toMatchObject({ identifies: 1, gaps: 0 });
  });

  test("N2 a spool that is full at the start is emptied before the worker resumes", async () => {
    const around = await startSurroundings();
    await around.ingress.down();
    const limits = { spoolLimit: { maxItems: 10 } };
    const first = await startWorker(around, limits);
    await sayNumbers(around.simulator, [1, 30]);
    await waitUntil("the pause", () => first.worker.stats().state === "paused");
    await first.worker.stop();
    const second = createWorker(around, limits);
    const started = second.worker.start();
    await waitUntil("a try to send", () => second.worker.stats().ingress.trouble);
    expect(second.worker.stats()).toMatchObject({ state: "starting", spool: { items: 10, full: true } });
    await around.ingress.up();
    await started;
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 30);
    expect(textsIn(around.ingress)).toEqual(numbers(1, 30));
  });

  test("H9 resumes with no new session left, and waits for one where it needs it", async () => {
    const around = await startSurroundings({ sessionStartLimit: 1 });
    await (await startWorker(around)).worker.stop();
    const second = await startWorker(around);
    expect(second.worker.stats().gateway.resumes).toBe(1);
    await second.worker.stop();

    const fresh = createWorker({ ...around, directory: `${around.directory}/fresh` });
    const stopped = expect(fresh.worker.start()).rejects.toMatchObject({ code: "stopped" });
    await waitUntil("a warning", () => fresh.logger.text().includes("Discord allows 0 new sessions and 1 are needed"));
    await fresh.worker.stop();
    await stopped;
  });

  test("N2 runs several shards, each with a session of its own", async () => {
    const around = await startSurroundings({ shards: 2, maxConcurrency: 2 });
    for (const name of ["one", "two", "three", "four"]) {
      const { id } = await around.simulator.addGuild({ name });
      await around.simulator.addChannel({ name: `in-${name}`, guild: id });
      await around.simulator.member("anna").join(id);
    }
    const first = await startWorker(around);
    expect(first.worker.stats().gateway.shards).toHaveLength(2);
    await first.worker.stop();
    for (const name of ["one", "two", "three", "four"]) {
      await around.simulator.member("anna").say(`in-${name}`, name);
    }
    const second = await startWorker(around);
    await waitUntil("all messages", () => textsIn(around.ingress).length >= 4);
    expect([...textsIn(around.ingress)].sort()).toEqual(["four", "one", "three", "two"]);
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 0, resumes: 2, gaps: 0 });
  });
});
