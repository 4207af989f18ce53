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
