import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSpool } from "../../src/gateway/spool.js";
import type { SpooledItem } from "../../src/gateway/spool-record.js";
import { INGRESS_LIMITS } from "../../src/ingress-contract.js";
import { createManualClock } from "./support/manual-clock.js";
import { numbers, sayNumbers, startSurroundings, startWorker, textsIn } from "./support/running.js";
import { keysOf, startIngress, startSending } from "./support/sending.js";
import { temporaryDirectory } from "./support/temporary-directory.js";
import { waitUntil } from "./support/wait-until.js";

const GATHER_MS = 100;
/** No test waits for it. */
const FOR_EVER_MS = 60_000;

async function open() {
  const clock = createManualClock();
  const directory = await temporaryDirectory();
  const groups: string[][] = [];
  const stored: SpooledItem[] = [];
  const spool = await openSpool({
    directory,
    maxItems: 100_000,
    maxBytes: 100_000_000,
    gatherMs: GATHER_MS,
    clock,
    onStored(lane, items) {
      groups.push(items.map(({ key }) => `${lane} ${key}`));
      stored.push(...items);
    },
    onFailure: (error) => expect.unreachable(error.message),
  });
  let seq = 0;
  const receive = (lane: string, { text = "", sessionId = "s" } = {}) => {
    seq += 1;
    const entry = {
      lane,
      key: `${sessionId}:0:${seq}`,
      json: JSON.stringify({ seq, text }),
      receivedAtMs: clock.now(),
    };
    const session = { sessionId, resumeUrl: "", seq, shardCount: 1, intents: 1, lastSeenAtMs: 0 };
    spool.append([entry], { shardId: 0, session });
  };
  const close = () => spool.close();
  /** A session that is known, and a group that was written just now. */
  receive("1");
  await spool.flush();
  groups.length = 0;
  return { clock, spool, groups, stored, receive, directory, close };
}

describe("gathering", () => {
  test("a packet that comes alone goes at once, and those that follow soon go together", async () => {
    const { clock, groups, receive, close } = await open();
    onTestFinished(close);
    clock.advance(GATHER_MS);
    receive("1");
    clock.advance(0);
    await waitUntil("the first packet on disk", () => groups.length === 1);
    receive("1");
    receive("2");
    clock.advance(GATHER_MS - 1);
    receive("1");
    expect(groups).toHaveLength(1);
    clock.advance(1);
    await waitUntil("the others on disk", () => groups.length === 3);
    expect(groups).toEqual([["1 s:0:2"], ["1 s:0:3", "1 s:0:5"], ["2 s:0:4"]]);
    clock.advance(GATHER_MS);
    receive("2");
    clock.advance(0);
    await waitUntil("the packet after a quiet time", () => groups.length === 4);
  });

  test.each([
    { what: "packets", count: INGRESS_LIMITS.maxItems, text: "" },
    { what: "bytes", count: 2, text: "x".repeat(INGRESS_LIMITS.targetBodyBytes / 2) },
  ])("a batch that is full of $what goes at once", async ({ count, text }) => {
    const { groups, receive, close } = await open();
    onTestFinished(close);
    for (let packet = 1; packet < count; packet += 1) {
      receive("1", { text });
    }
    receive("2");
    await new Promise((resolve) => setImmediate(resolve));
    expect(groups).toEqual([]);
    receive("1", { text });
    await waitUntil("all of it on disk", () => groups.flat().length === count + 1);
  });

  test("N2 the place of a new session is on disk at once", async () => {
    const { spool, receive, close } = await open();
    onTestFinished(close);
    receive("1", { sessionId: "another" });
    await waitUntil("the new session", () => spool.sessions().get(0)?.sessionId === "another");
  });

  test("N2 what is left of packets that were stored together stays, in order, over a restart", async () => {
    const { spool, stored, receive, directory, close } = await open();
    for (let packet = 0; packet < 9; packet += 1) {
      receive("1", { text: `line\n${packet} ü` });
    }
    await spool.flush();
    const keys = stored.map(({ key }) => key);
    spool.remove("1", stored.slice(0, 4));
    expect((await spool.read("1", 0, 100)).map(({ key }) => key)).toEqual(keys.slice(4));
    spool.remove("1", stored.slice(4, 6));
    expect(spool.depth().items).toBe(4);
    await close();
    const again = await openSpool({
      directory,
      maxItems: 100,
      maxBytes: 100_000,
      gatherMs: GATHER_MS,
      clock: createManualClock(),
      onStored: () => {},
      onFailure: (error) => expect.unreachable(error.message),
    });
    onTestFinished(() => again.close());
    expect(again.depth().items).toBe(4);
    const left = await again.read("1", 0, 100);
    expect(left.map(({ key, json, order }) => ({ key, json, order }))).toEqual(
      stored.slice(6).map(({ key, json, order }) => ({ key, json, order })),
    );
  });

  test("N2 what was answered for does not come back before the disk has forgotten it", async () => {
    const { spool, stored, receive, close } = await open();
    onTestFinished(close);
    receive("1");
    const written = spool.flush();
    await Promise.resolve();
    spool.remove("1", stored.slice(0, 1));
    expect(spool.lanes().has("1")).toBe(false);
    await written;
    expect((await spool.read("1", 0, 100)).map(({ key }) => key)).toEqual(["s:0:2"]);
  });

  test("H9 refuses a spool of a format that it does not read", async () => {
    const { directory, close } = await open();
    await close();
    const level = new ClassicLevel<string, string>(join(directory, "queue"));
    await level.put("format", "1");
    await level.close();
    const options = { directory, maxItems: 1, maxBytes: 1, gatherMs: 1, clock: createManualClock() };
    await expect(openSpool({ ...options, onStored: () => {}, onFailure: () => {} })).rejects.toMatchObject({
      code: "spool_corrupt",
      message: expect.stringContaining("format 1"),
    });
  });

  test("N2 packets that were gathered arrive in few requests, in order, and a bad one harms no other", async () => {
    const ingress = await startIngress();
    const { receive, spool, deadLetters } = await startSending(ingress, { gatherMs: FOR_EVER_MS });
    const first = receive("1", 1);
    await waitUntil("the first packet, at once", () => spool.depth().items === 0);
    ingress.reject((item) => item.seq === 20);
    const keys = receive("1", 2 * INGRESS_LIMITS.maxItems);
    await waitUntil("all full batches", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual([...first, ...keys].filter((key) => key !== "1:0:20"));
    expect(ingress.requests()).toBeLessThanOrEqual(4);
    expect(deadLetters().map(({ item }) => item.key)).toEqual(["1:0:20"]);
  });

  test("N2 stop() brings what is still being gathered", async () => {
    const around = await startSurroundings();
    const { worker } = await startWorker(around, { gatherMs: FOR_EVER_MS });
    await sayNumbers(around.simulator, [1, 1]);
    await waitUntil("the first packet, at once", () => textsIn(around.ingress).length === 1);
    await sayNumbers(around.simulator, [2, 30]);
    await waitUntil("the others", () => worker.stats().gateway.receivedPackets >= 30);
    expect(textsIn(around.ingress)).toEqual(["1"]);
    await worker.stop();
    expect(textsIn(around.ingress)).toEqual(numbers(1, 30));
  });
});
