import { systemClock } from "@hookline/core";
import { expect, onTestFinished, test } from "vitest";
import { createBackfill } from "../../src/gateway/backfill.js";
import { openSpool } from "../../src/gateway/spool.js";
import { snowflakeAt } from "../../src/snowflake.js";
import { createManualClock } from "./support/manual-clock.js";
import { createRecordingLogger } from "./support/recording-logger.js";
import {
  gapsIn,
  numbers,
  type Surroundings,
  sayNumbers,
  startSurroundings,
  startWorker,
  textsIn,
} from "./support/running.js";
import { temporaryDirectory } from "./support/temporary-directory.js";
import { waitUntil } from "./support/wait-until.js";

/** A worker that stops, and whose session is gone before the next one starts; meanwhile `missed` is said. */
async function loseSession(around: Surroundings, missed: () => Promise<void>): Promise<void> {
  const first = await startWorker(around);
  await sayNumbers(around.simulator, [1, 5]);
  await waitUntil("the messages", () => textsIn(around.ingress).length === 5);
  await first.worker.stop();
  await waitUntil("the end of the session", async () => (await around.simulator.state()).gateway.sessions === 0);
  await missed();
}

test("N2 after a gap, messages that were missed are read and forwarded, each channel's in order", async () => {
  const around = await startSurroundings({ sessionKeepMs: 50 });
  await loseSession(around, async () => {
    await sayNumbers(around.simulator, [6, 130]);
    await around.simulator.member("anna").say("ops", "elsewhere");
  });
  const { worker } = await startWorker(around, { backfill: {} });
  // Some of the time before the gap is read too, which the API tells by the messages' ids.
  const heard = () => [...new Set(textsIn(around.ingress))];
  await waitUntil("all messages", () => heard().length >= 131);
  await sayNumbers(around.simulator, [131, 132]);
  await waitUntil("later messages", () => heard().length >= 133);
  const texts = heard().filter((text) => text !== "elsewhere");
  expect(texts.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(1, 132));
  expect(texts.slice(0, 130)).toEqual(numbers(1, 130));
  const { d, key } = around.ingress.stored.find(({ d }) => (d as { content?: string }).content === "6") ?? {};
  expect(d).toMatchObject({ guild_id: expect.any(String), author: { username: "anna" } });
  expect(key).toMatch(/^message-\d+:0:0$/);
  expect(gapsIn(around.ingress)).toHaveLength(1);
  expect(worker.stats().gateway).toMatchObject({ identifies: 1, gaps: 1 });
});

test("N2 reads no more of a channel than it may, and says so", async () => {
  const around = await startSurroundings({ sessionKeepMs: 50 });
  await loseSession(around, () => sayNumbers(around.simulator, [6, 20]));
  const { logger } = await startWorker(around, { backfill: { maxMessagesPerChannel: 8 } });
  await waitUntil("the warning", () => logger.text().includes("More messages were missed"));
  await waitUntil("the messages", () => textsIn(around.ingress).length === 5 + 8);
});

test("N2 a gap whose messages can't be read is told all the same", async () => {
  const around = await startSurroundings({ sessionKeepMs: 50 });
  await loseSession(around, () => sayNumbers(around.simulator, [6, 7]));
  await around.simulator.addChannel({ name: "closed", deniedToBot: ["ReadMessageHistory"] });
  const { worker, logger } = await startWorker(around, { backfill: {} });
  await waitUntil("the gap", () => gapsIn(around.ingress).length === 1);
  await waitUntil("a warning", () => logger.text().includes("can't be read"));
  await sayNumbers(around.simulator, [8, 8]);
  await waitUntil("a later message", () => textsIn(around.ingress).includes("8"));
  await waitUntil("the others' messages", () => logger.text().includes("and not all"));
  expect(new Set(textsIn(around.ingress))).toEqual(new Set(numbers(1, 8)));
  await worker.stop();
  expect(worker.stats().state).toBe("stopped");
});

test("N2 reads what was missed once Discord is back from an outage", async () => {
  const around = await startSurroundings({ sessionKeepMs: 50 });
  await loseSession(around, () => sayNumbers(around.simulator, [6, 9]));
  // The library tries four times within moments.
  await around.simulator.faults.failRequests({ count: 5, status: 502, path: "/messages" });
  const { worker, logger } = await startWorker(around, { backfill: {}, random: () => 0 });
  await waitUntil("the messages", () => new Set(textsIn(around.ingress)).size === 9);
  expect(logger.text()).toContain("trying again");
  expect(logger.text()).not.toContain("and not all");
  await worker.stop();
});

test("H9 a stop waits for no outage of Discord", async () => {
  const around = await startSurroundings({ sessionKeepMs: 50 });
  await loseSession(around, async () => {});
  await around.simulator.faults.failRequests({ count: 1_000, status: 502, path: "/messages" });
  const { worker, logger } = await startWorker(around, { backfill: {} });
  await waitUntil("a try", () => logger.text().includes("trying again"));
  await worker.stop();
  expect(worker.stats().state).toBe("stopped");
});

test("N2 gives up after ten minutes without an answer, and says that not all was read", async () => {
  const clock = createManualClock();
  const spool = await openSpool({
    directory: await temporaryDirectory(),
    maxItems: 100,
    maxBytes: 1_000_000,
    gatherMs: 15,
    clock: systemClock,
    onStored: () => {},
    onFailure: () => {},
  });
  onTestFinished(() => spool.close());
  const logger = createRecordingLogger();
  const rest = { get: () => Promise.reject(new Error("no route")) };
  const options = { maxMessagesPerChannel: 1, clock, logger, random: () => 0 };
  const backfill = createBackfill({ rest, spool, ...options });
  const place = { shardId: 0, sessionId: "s", seq: 0, receivedAtMs: 0 };
  backfill.add({ place, sinceMs: 0, untilMs: 1, guildIds: ["21", "22"] });
  const startedAtMs = clock.now();
  await waitUntil("the end", () => {
    clock.advance(10_000);
    return logger.text().includes("and not all");
  });
  expect(clock.now() - startedAtMs).toBeGreaterThanOrEqual(600_000);
  expect(clock.now() - startedAtMs).toBeLessThan(700_000);
  await backfill.stop();
});

test("N2 says of which channels messages are not read because the spool is full, and not that all were", async () => {
  const limits = { maxItems: 100, maxBytes: 1_000_000 };
  const directory = await temporaryDirectory();
  const spool = await openSpool({
    directory,
    ...limits,
    gatherMs: 15,
    clock: systemClock,
    onStored: () => {},
    onFailure: () => {},
  });
  onTestFinished(() => spool.close());
  const sinceMs = Date.now() - 60_000;
  const page = (after: string) =>
    Array.from({ length: 100 }, (_, nth) => ({ id: String(BigInt(after) + BigInt(nth + 1)) }));
  const rest = {
    get: async (route: string, { query }: { query?: URLSearchParams } = {}) =>
      route.endsWith("/channels")
        ? [
            { id: "31", type: 0 },
            { id: "32", type: 0 },
          ]
        : page(query?.get("after") ?? snowflakeAt(sinceMs)),
  };
  const logger = createRecordingLogger();
  const backfill = createBackfill({
    rest,
    spool,
    maxMessagesPerChannel: 10_000,
    clock: systemClock,
    logger,
    random: Math.random,
  });
  const place = { shardId: 0, sessionId: "s", seq: 0, receivedAtMs: sinceMs };
  backfill.add({ place, sinceMs, untilMs: Date.now(), guildIds: ["21"] });
  await waitUntil("the end", () => logger.lines.some(({ message }) => message.startsWith("Read ")));
  const full = "The spool is full: missed messages of a channel are not read";
  expect(logger.lines).toEqual([
    { level: "warn", fields: { guildId: "21", channelId: "31", found: 100 }, message: full },
    { level: "warn", fields: { guildId: "21", channelId: "32", found: 0 }, message: full },
    {
      level: "warn",
      fields: { shard: 0, found: 100 },
      message: "Read some of the messages that were missed, and not all",
    },
  ]);
  expect(spool.depth().items).toBe(100);
  await backfill.stop();
});
