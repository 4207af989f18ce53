import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDirectory } from "../src/pglite/directory-lock.js";

describe("lockDirectory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "hookline-lock-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const lock = () => lockDirectory({ directory, heartbeatMs: 20, onLost: () => undefined });
  const leave = (content: object) =>
    writeFile(join(directory, "lock"), JSON.stringify({ token: "theirs", ...content }));
  const holder = async () => JSON.parse(await readFile(join(directory, "lock"), "utf8"));

  it("names its process, and leaves nothing behind when it is released", async () => {
    const held = await lock();
    expect(await holder()).toMatchObject({ pid: process.pid, host: hostname(), startMarker: expect.anything() });
    await expect(lock()).rejects.toMatchObject({ code: "directory_locked" });
    await held.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ["a process that is gone", { pid: 2 ** 22 + 1, startMarker: "any" }],
    ["a process whose id is another's by now", { pid: process.ppid, startMarker: "an earlier boot" }],
  ])("takes over from %s", async (_title, dead) => {
    await leave({ ...dead, host: hostname() });
    const held = await lock();
    expect(await holder()).toMatchObject({ pid: process.pid });
    await held.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it("takes over a lock that its writer did not finish", async () => {
    await writeFile(join(directory, "lock"), '{"pid": 1');
    await (await lock()).release();
  });

  it("takes over from another host when the lock is no longer renewed, and only then", async () => {
    await leave({ pid: 1, startMarker: "x", host: "another host" });
    const renewal = setInterval(() => {
      utimes(join(directory, "lock"), new Date(), new Date()).catch(() => undefined);
    }, 5);
    await expect(lock()).rejects.toMatchObject({
      code: "directory_locked",
      message: expect.stringContaining("another host"),
    });
    clearInterval(renewal);
    await (await lock()).release();
  });

  it("lets one of many in, also when all of them find the same stale lock", async () => {
    for (let round = 0; round < 10; round++) {
      await leave({ pid: 2 ** 22 + 1, startMarker: "any", host: hostname() });
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, lock));
      const held = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(held).toHaveLength(1);
      await held[0]?.release();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  it("says so once when somebody else has taken the lock, and does not remove theirs", async () => {
    const lost: string[] = [];
    const noticed = new Promise<void>((resolve) => {
      lockDirectory({
        directory,
        heartbeatMs: 10,
        onLost(error) {
          lost.push(error.code);
          resolve();
        },
      }).then(async (held) => {
        await leave({ pid: 1, startMarker: "x", host: "elsewhere" });
        await noticed;
        await held.release();
      }, resolve);
    });
    await noticed;
    expect(lost).toEqual(["directory_locked"]);
    expect(await holder()).toMatchObject({ host: "elsewhere" });
  });
});
