import { describe, expect, test } from "vitest";
import { INGRESS_LIMITS } from "../../src/ingress-contract.js";
import { keysOf, startIngress, startSending } from "./support/sending.js";
import { waitUntil } from "./support/wait-until.js";

describe("a backlog after a restart", () => {
  test("N2 sends a backlog larger than its memory after a restart, in order", async () => {
    const ingress = await startIngress();
    await ingress.down();
    const before = await startSending(ingress);
    const keys = before.receive("1", 12_000);
    await before.stop();
    await ingress.up();
    const { spool } = await startSending(ingress, { directory: before.directory });
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
  });

  test("N2 keeps the order of a backlog and of what is stored while a letter is written", async () => {
    const ingress = await startIngress();
    await ingress.down();
    const before = await startSending(ingress);
    const keys = [...before.receive("1", 2 * INGRESS_LIMITS.maxItems - 1)];
    await before.stop();
    await ingress.up();
    ingress.reject((item) => item.key === keys[7]);
    let answer = () => {};
    const arrived = new Promise<void>((resolve) => {
      ingress.intercept(async () => {
        ingress.intercept(null);
        resolve();
        await new Promise<void>((go) => {
          answer = go;
        });
        return null;
      });
    });
    const { spool, receive, failures } = await startSending(ingress, {
      directory: before.directory,
      gatherMs: 600_000,
      lastSeq: keys.length,
    });
    await arrived;
    keys.push(...receive("1", 1));
    await spool.flush();
    // Nothing but the letter's own write brings these to the disk.
    keys.push(...receive("1", 3));
    answer();
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(failures).toEqual([]);
    expect(keysOf(ingress, "1")).toEqual(keys.filter((_, index) => index !== 7));
  });

  test("N2 reads many lanes of a backlog again that wait for an API that is down", async () => {
    const ingress = await startIngress();
    await ingress.down();
    const lanes = Array.from({ length: 60 }, (_, index) => String(index + 1));
    const before = await startSending(ingress);
    const sent = new Map(lanes.map((lane) => [lane, before.receive(lane, 150)]));
    await before.stop();
    const { spool, sender } = await startSending(ingress, { directory: before.directory });
    await waitUntil("every lane waits", () => sender.stats().lanes.waiting === lanes.length);
    await ingress.up();
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    for (const lane of lanes) {
      expect(keysOf(ingress, lane)).toEqual(sent.get(lane));
    }
  });
});

describe("the end of an outage", () => {
  const backoff = { minMs: 600_000, maxMs: 600_000 };
  const LANES = ["1", "2", "3"] as const;

  test("N2 the first guild that gets through to the API ends the waiting of all others", async () => {
    const ingress = await startIngress();
    const { receive, spool, sender, logger } = await startSending(ingress, { backoff });
    await ingress.down();
    const kept = LANES.map((lane) => receive(lane, 5));
    await waitUntil("every lane waits", () => sender.stats().lanes.waiting === LANES.length);
    await ingress.up();
    receive("4", 1);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(LANES.map((lane) => keysOf(ingress, lane))).toEqual(kept);
    expect(logger.text()).toContain("The API takes batches again");
  });

  test("N2 who fails alone, or was told how long to wait, waits although others get through", async () => {
    const ingress = await startIngress();
    const { receive, sender } = await startSending(ingress, { backoff });
    ingress.intercept(({ items: [first] }) => {
      if (first?.sessionId === "1") return { status: 500 };
      return first?.sessionId === "9" ? null : { status: 503, headers: { "retry-after": "600" } };
    });
    receive("1", 1);
    await waitUntil("it waits", () => sender.stats().lanes.waiting === 1);
    receive("9", 1);
    await waitUntil("another one", () => keysOf(ingress, "9").length === 1);
    for (const lane of ["2", "3", "4"]) receive(lane, 1);
    await waitUntil("all of them wait", () => sender.stats().lanes.waiting === 4);
    const tries = ingress.requests();
    receive("9", 1);
    await waitUntil("another one again", () => keysOf(ingress, "9").length === 2);
    // The one that gave no time is tried once more, since it may have been an outage.
    await waitUntil("its try", () => ingress.requests() === tries + 2 && sender.stats().lanes.waiting === 4);
    receive("9", 1);
    await waitUntil("another one for the last time", () => keysOf(ingress, "9").length === 3);
    expect(sender.stats().lanes.waiting).toBe(4);
    expect(ingress.requests()).toBe(tries + 3);
  });
});
