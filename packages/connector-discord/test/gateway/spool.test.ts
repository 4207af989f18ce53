import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@hookline/core";
import { ClassicLevel } from "classic-level";
import { describe, expect, onTestFinished, test } from "vitest";
import type { GatewayWorkerError } from "../../src/gateway/errors.js";
import { openSpool, type Spool } from "../../src/gateway/spool.js";
import type { SpoolEntry, SpooledItem } from "../../src/gateway/spool-record.js";
import type { StoredSession } from "../../src/stored-session.js";
import { temporaryDirectory } from "./support/temporary-directory.js";

const session: StoredSession = {
  sessionId: "abc",
  resumeUrl: "wss://resume.example",
  seq: 1,
  shardCount: 1,
  intents: 513,
  lastSeenAtMs: 1,
};

function entry(lane: string, seq: number): SpoolEntry {
  return { lane, key: `abc:0:${seq}`, json: `{"seq":${seq},"text":"a\\nb ü"}`, receivedAtMs: 1_000 + seq };
}

function at(seq: number) {
  return { shardId: 0, session: { ...session, seq } };
}

async function open(directory: string, limits: { maxItems?: number; maxBytes?: number } = {}) {
  const storedItems: SpooledItem[] = [];
  const failures: GatewayWorkerError[] = [];
  const spool = await openSpool({
    directory,
    maxItems: 1_000,
    maxBytes: 1_000_000,
    gatherMs: 15,
    ...limits,
    clock: systemClock,
    onStored: (_, items) => storedItems.push(...items),
    onFailure: (error) => failures.push(error),
  });
  let closed = false;
  const close = async () => {
    if (!closed) {
      closed = true;
      await spool.close();
    }
  };
  onTestFinished(close);
  return { spool, storedItems, failures, close };
}

async function seqs(spool: Spool, lane: string, after = 0): Promise<readonly string[]> {
  return (await spool.read(lane, after, 100)).map((item) => item.key);
}

describe("spool", () => {
  test("N2 nobody but its own user can look into it", async () => {
    const directory = join(await temporaryDirectory(), "new");
    const { spool } = await open(directory);
    await spool.close();
    expect(statSync(join(directory, "queue")).mode & 0o777).toBe(0o700);
  });

  test("N2 says why a directory can't be used", async () => {
    const file = join(await temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(open(join(file, "spool"))).rejects.toMatchObject({
      code: "spool_failed",
      message: expect.stringContaining("ENOTDIR"),
    });
  });

  test("N2 keeps packets per lane, in order, over a close and an open", async () => {
    const directory = await temporaryDirectory();
    const first = await open(directory);
    first.spool.append([entry("1", 1), entry("2", 2), entry("1", 3)], at(3));
    first.spool.append([entry("1", 10)], at(10));
    await first.close();

    const { spool } = await open(directory);
    const items = await spool.read("1", 0, 100);
    expect(items.map((item) => item.key)).toEqual(["abc:0:1", "abc:0:3", "abc:0:10"]);
    expect(items[0]).toMatchObject({ lane: "1", receivedAtMs: 1_001, json: entry("1", 1).json });
    expect(spool.lanes().get("1")).toMatchObject({ items: 3, oldestAtMs: 1_001 });
    expect(spool.depth().items).toBe(4);
    expect(spool.depth().bytes).toBe(items.reduce((sum, item) => sum + item.bytes, 0) + (items[0]?.bytes ?? 0));
    spool.append([entry("1", 11)], at(11));
    await spool.flush();
    expect(await seqs(spool, "1")).toEqual(["abc:0:1", "abc:0:3", "abc:0:10", "abc:0:11"]);
  });

  test("N2 does not move the durable position before the packet is on disk", async () => {
    const { spool, storedItems } = await open(await temporaryDirectory());
    spool.append([entry("1", 5)], at(5));
    expect(spool.sessions().get(0)).toBeUndefined();
    expect(storedItems).toEqual([]);
    await spool.flush();
    expect(spool.sessions().get(0)?.seq).toBe(5);
    expect(storedItems.map((item) => item.key)).toEqual(["abc:0:5"]);
  });

  test("keeps positions behind packets that are not forwarded", async () => {
    const directory = await temporaryDirectory();
    const first = await open(directory);
    first.spool.append([entry("1", 5)], at(5));
    first.spool.advance(at(9));
    await first.close();
    const { spool } = await open(directory);
    expect(spool.sessions().get(0)).toEqual({ ...session, seq: 9 });
  });

  test("forgets what was removed, and only that", async () => {
    const directory = await temporaryDirectory();
    const first = await open(directory);
    first.spool.append([entry("1", 1), entry("1", 2), entry("1", 3)], at(3));
    await first.spool.flush();
    await first.spool.remove("1", first.storedItems.slice(0, 2));
    expect(first.spool.depth().items).toBe(1);
    await first.spool.remove("1", first.storedItems.slice(2));
    expect(first.spool.depth()).toEqual({ items: 0, bytes: 0, oldestAtMs: null });
    first.spool.append([entry("1", 4)], at(4));
    await first.close();
    const { spool } = await open(directory);
    expect(await seqs(spool, "1")).toEqual(["abc:0:4"]);
  });

  test("does not mix lanes whose names begin alike", async () => {
    const { spool } = await open(await temporaryDirectory());
    spool.append([entry("1", 1), entry("10", 2), entry("100", 3)], at(3));
    await spool.flush();
    expect(await seqs(spool, "1")).toEqual(["abc:0:1"]);
    expect(await seqs(spool, "10")).toEqual(["abc:0:2"]);
  });

  test.each([{ maxItems: 2 }, { maxBytes: 60 }])("N2 says that it is full at its limit: %o", async (limits) => {
    const { spool } = await open(await temporaryDirectory(), limits);
    spool.append([entry("1", 1)], at(1));
    expect(spool.isFull()).toBe(false);
    spool.append([entry("1", 2), entry("1", 3)], at(3));
    expect(spool.isFull()).toBe(true);
  });

  test("H9 refuses a directory that another worker holds", async () => {
    const directory = await temporaryDirectory();
    await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      name: "GatewayWorkerError",
      code: "spool_locked",
      message: expect.stringContaining("another worker"),
    });
  });

  test("H9 refuses a damaged directory instead of starting with less", async () => {
    const directory = await temporaryDirectory();
    const first = await open(directory);
    first.spool.append([entry("1", 1)], at(1));
    await first.close();
    const queue = join(directory, "queue");
    for (const file of readdirSync(queue).filter((name) => name.startsWith("MANIFEST"))) {
      writeFileSync(join(queue, file), readFileSync(join(queue, file)).fill(0xff));
    }
    await expect(open(directory)).rejects.toMatchObject({ code: "spool_corrupt" });
  });

  test("H9 takes over what an earlier version has emptied, with its session, and refuses what it has not", async () => {
    const directory = await temporaryDirectory();
    const first = await open(directory);
    first.spool.append([], at(7));
    await first.close();
    const asBefore = async (...items: readonly [string, string][]) => {
      const level = new ClassicLevel<string, string>(join(directory, "queue"));
      await level.batch([["format", "1"] as const, ...items].map(([key, value]) => ({ type: "put", key, value })));
      await level.close();
    };
    await asBefore();
    const second = await open(directory);
    expect(second.spool.sessions().get(0)?.seq).toBe(7);
    await second.close();
    await asBefore(["i!1!0000000000000001", "an item"]);
    await expect(open(directory)).rejects.toMatchObject({ code: "spool_corrupt" });
  });

  test("H9 refuses a directory that can't be made", async () => {
    const directory = await temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    await expect(open(join(directory, "file"))).rejects.toMatchObject({ code: "spool_failed" });
  });
});
