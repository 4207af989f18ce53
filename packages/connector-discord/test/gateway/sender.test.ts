import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { INGRESS_LIMITS } from "../../src/ingress-contract.js";
import { keysOf, startIngress, startSending } from "./support/sending.js";
import { waitUntil } from "./support/wait-until.js";

const LANES = ["1", "2", "3", "4", "5"];

describe("sender", () => {
  test("N2 loses nothing and keeps each guild's order over two outages of the ingress", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress);
    const sent = new Map<string, string[]>(LANES.map((lane) => [lane, []]));
    for (let round = 0; round < 60; round += 1) {
      if (round === 15 || round === 40) {
        await ingress.down();
      }
      if (round === 25 || round === 50) {
        await ingress.up();
      }
      for (const lane of LANES) {
        sent.get(lane)?.push(...receive(lane, 1 + (round % 7)));
      }
      await spool.flush();
    }
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    for (const lane of LANES) {
      expect(keysOf(ingress, lane)).toEqual(sent.get(lane));
    }
  });

  test("N2 keeps each guild's order while the ingress fails at random", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress);
    let state = 7;
    ingress.intercept(() => {
      state = (state * 48_271) % 2_147_483_647;
      return state % 3 === 0 ? { status: state % 2 === 0 ? 500 : 503 } : null;
    });
    const sent = new Map(LANES.map((lane) => [lane, receive(lane, 400)]));
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    for (const lane of LANES) {
      expect(keysOf(ingress, lane)).toEqual(sent.get(lane));
    }
  });

  test("N2 keeps the order when packets come faster than they fit into memory", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress);
    await ingress.down();
    const keys: string[] = [];
    const feed = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        keys.push(...receive("1", 300));
        await spool.flush();
      }
    };
    await feed(20);
    await ingress.up();
    await feed(40);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
  });

  test("N2 a batch whose answer was lost is sent again and stored once", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress, { requestTimeoutMs: 200 });
    let hung = false;
    ingress.intercept(async () => {
      if (!hung) {
        hung = true;
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
      return null;
    });
    const keys = receive("1", 5);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    await waitUntil("the late answer", () => ingress.batches.length >= 2);
    expect(keysOf(ingress, "1")).toEqual(keys);
  });

  test("N2 one guild that hangs does not hold up the others", async () => {
    const ingress = await startIngress();
    const { receive, spool, sender } = await startSending(ingress, { maxConcurrentRequests: 4 });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    ingress.intercept(async (batch) => {
      if (batch.items[0]?.sessionId === "1") {
        await released;
      }
      return null;
    });
    const stuck = receive("1", 3);
    const others = ["2", "3", "4", "5", "6", "7", "8"].map((lane) => ({ lane, keys: receive(lane, 300) }));
    await waitUntil("the other guilds", () => spool.depth().items === stuck.length);
    for (const { lane, keys } of others) {
      expect(keysOf(ingress, lane)).toEqual(keys);
    }
    expect(keysOf(ingress, "1")).toEqual([]);
    expect(sender.stats().lanes).toEqual({ total: 1, sending: 1, waiting: 0 });
    release();
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(stuck);
  });

  test("many requests at once are no leak to Node", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on("warning", warn);
    onTestFinished(() => {
      process.off("warning", warn);
    });
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress, { maxConcurrentRequests: 20 });
    let release = () => {};
    const released = new Promise<null>((resolve) => {
      release = () => resolve(null);
    });
    ingress.intercept(() => released);
    for (let lane = 1; lane <= 20; lane += 1) {
      receive(String(lane), 1);
    }
    await waitUntil("all requests", () => ingress.requests() === 20);
    release();
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(warnings).toEqual([]);
  });

  test("has at most one request of a guild on its way, within the contract's bounds", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress);
    const open = new Map<string, number>();
    let most = 0;
    let largest = 0;
    ingress.intercept(async (batch, body) => {
      const lane = batch.items[0]?.sessionId ?? "";
      open.set(lane, (open.get(lane) ?? 0) + 1);
      most = Math.max(most, open.get(lane) ?? 0);
      largest = Math.max(largest, body.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open.set(lane, (open.get(lane) ?? 0) - 1);
      expect(new Set(batch.items.map((item) => item.sessionId)).size).toBe(1);
      expect(batch.items.length).toBeLessThanOrEqual(INGRESS_LIMITS.maxItems);
      return null;
    });
    receive("1", 500);
    receive("2", 60, "x".repeat(20_000));
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(most).toBe(1);
    expect(ingress.batches.some((batch) => batch.items.length === INGRESS_LIMITS.maxItems)).toBe(true);
    expect(largest).toBeLessThanOrEqual(INGRESS_LIMITS.targetBodyBytes + 100);
    expect(largest).toBeGreaterThan(INGRESS_LIMITS.targetBodyBytes / 2);
  });

  test("N2 makes smaller batches when the ingress answers 413, and keeps the order", async () => {
    const ingress = await startIngress();
    const { receive, spool, logger } = await startSending(ingress);
    let refused = 0;
    ingress.intercept((_, body) => {
      if (body.length > 30_000) {
        refused += 1;
        return { status: 413 };
      }
      return null;
    });
    const keys = receive("1", 200, "x".repeat(1_000));
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(6);
    expect(logger.text()).toContain("413");
  });

  test("N2 makes larger batches again when the limit that answered 413 is gone", async () => {
    const ingress = await startIngress();
    const { receive, spool } = await startSending(ingress);
    let limit = 5_000;
    let largest = 0;
    ingress.intercept((_, body) => {
      if (body.length > limit) return { status: 413, body: "<html>413</html>" };
      largest = Math.max(largest, body.length);
      return null;
    });
    const keys = [...receive("1", 50, "x".repeat(1_000))];
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(largest).toBeLessThanOrEqual(5_000);
    limit = Number.POSITIVE_INFINITY;
    keys.push(...receive("1", 1_500, "x".repeat(1_000)));
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
    expect(largest).toBeGreaterThan(20_000);
  });

  test.each(["<html>413 Request Entity Too Large</html>", '{"code":"else"}'])(
    "N2 keeps a packet that something other than the API refuses for its size: %s",
    async (body) => {
      const ingress = await startIngress();
      const { receive, spool, sender, directory } = await startSending(ingress);
      let refusals = 0;
      let limit = 50_000;
      ingress.intercept((_, sent) => {
        if (sent.length <= limit) return null;
        refusals += 1;
        return { status: 413, body };
      });
      const keys = [...receive("1", 3), ...receive("1", 1, "x".repeat(60_000)), ...receive("1", 3)];
      await waitUntil("several refusals of the one packet", () => refusals >= 4 && spool.depth().items === 4);
      expect(sender.stats().trouble).toContain("413");
      limit = Number.POSITIVE_INFINITY;
      await waitUntil("an empty spool", () => spool.depth().items === 0);
      expect(keysOf(ingress, "1")).toEqual(keys);
      expect(existsSync(join(directory, "dead-letters.jsonl"))).toBe(false);
    },
  );

  test("N2 a packet that alone is too large ends in the dead-letter file, its neighbours arrive", async () => {
    const ingress = await startIngress();
    const { receive, spool, deadLetters } = await startSending(ingress);
    const refusal = { status: 413, body: JSON.stringify({ code: "body_too_large", detail: "Above 1 MiB." }) };
    ingress.intercept((_, body) => (body.length > 50_000 ? refusal : null));
    const keys = [...receive("1", 3), ...receive("1", 1, "x".repeat(60_000)), ...receive("1", 3)];
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys.filter((_, index) => index !== 3));
    expect(deadLetters()).toMatchObject([{ code: "too_large", lane: "1", item: { key: keys[3] } }]);
  });

  test("N2 items that the ingress rejects go to the dead-letter file with an error in the log", async () => {
    const ingress = await startIngress();
    const { receive, spool, deadLetters, logger, sender } = await startSending(ingress);
    ingress.reject((item) => item.seq % 5 === 0);
    const keys = receive("1", 20);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys.filter((_, index) => (index + 1) % 5 !== 0));
    expect(deadLetters().map((letter) => letter.item.key)).toEqual(["1:0:5", "1:0:10", "1:0:15", "1:0:20"]);
    expect(deadLetters()[0]).toMatchObject({ code: "invalid_payload", message: "d has no id" });
    expect(logger.lines.filter((line) => line.level === "error")).toHaveLength(4);
    expect(sender.stats().sentItems).toBe(16);
  });

  test("N2 singles out the packet for which the API refuses whole batches", async () => {
    const ingress = await startIngress();
    const { receive, spool, deadLetters } = await startSending(ingress);
    ingress.intercept((batch) =>
      batch.items.some((item) => item.seq === 7)
        ? { status: 400, body: JSON.stringify({ code: "invalid_batch", detail: "no" }) }
        : null,
    );
    const keys = receive("1", 40);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys.filter((key) => key !== "1:0:7"));
    expect(deadLetters()).toMatchObject([{ code: "invalid_batch", item: { key: "1:0:7" } }]);
  });

  test("N2 a packet at which the API breaks down holds up its guild, but not the packets before it", async () => {
    const ingress = await startIngress();
    const { receive, spool, logger } = await startSending(ingress);
    ingress.intercept((batch) => (batch.items.some((item) => item.seq === 30) ? { status: 500 } : null));
    const keys = receive("1", 60);
    await waitUntil("the packets before", () => keysOf(ingress, "1").length === 29);
    await waitUntil("an alarm", () => logger.lines.some((line) => line.level === "error"));
    expect(spool.depth().items).toBe(31);
    ingress.intercept(null);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
  });

  test.each([
    { status: 400, body: "<html>Bad Request</html>" },
    { status: 422, body: "{}" },
    { status: 502, body: "" },
    { status: 200, body: "not json" },
    { status: 200, body: '{"results":[]}' },
    { status: 200, body: '{"results":[{"key":"else","status":"stored"}]}' },
  ])("N2 an answer that is not the API's is no verdict: $status $body", async (reply) => {
    const ingress = await startIngress();
    const { receive, spool, sender } = await startSending(ingress);
    let answers = 0;
    ingress.intercept(() => {
      answers += 1;
      return answers <= 4 ? reply : null;
    });
    const keys = receive("1", 1);
    await waitUntil("trouble", () => sender.stats().trouble);
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
    expect(sender.stats().trouble).toBeNull();
  });

  test.each([
    { status: 401, advice: "CONNECTOR_INGRESS_SECRET" },
    { status: 404, advice: "API_PUBLIC_URL" },
    { status: 308, advice: "redirects" },
    { status: 429, advice: "rate" },
  ])("N2 keeps everything and says what to do on $status", async ({ status, advice }) => {
    const ingress = await startIngress();
    const { receive, spool, sender, logger } = await startSending(ingress);
    let blocked = true;
    ingress.intercept(() => (blocked ? { status, headers: { "retry-after": "1" } } : null));
    const keys = LANES.map((lane) => receive(lane, 3));
    await waitUntil("trouble", () => sender.stats().trouble?.includes(advice));
    const requests = ingress.requests();
    expect(requests).toBeLessThanOrEqual(LANES.length);
    expect(spool.depth().items).toBe(15);
    const errors = logger.lines.filter((line) => line.level === "error");
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(advice);
    blocked = false;
    await waitUntil("an empty spool", () => spool.depth().items === 0);
    expect(LANES.map((lane) => keysOf(ingress, lane))).toEqual(keys);
  });

  test("N2 a wrong secret is refused by the ingress and loses nothing", async () => {
    const ingress = await startIngress();
    const secret = "another-secret-that-is-long-enough-too";
    const wrong = await startSending(ingress, { secret });
    const keys = wrong.receive("1", 10);
    await waitUntil("trouble", () => wrong.sender.stats().trouble?.includes("401"));
    await wrong.stop(1_000);
    expect(wrong.logger.text()).not.toContain(secret);
    expect(ingress.stored).toEqual([]);
    const right = await startSending(ingress, { directory: wrong.directory });
    await waitUntil("an empty spool", () => right.spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(keys);
  });

  test("H9 stop() sends what can be sent and leaves the rest, in order, for the next start", async () => {
    const ingress = await startIngress();
    const first = await startSending(ingress);
    ingress.intercept((batch) => (batch.items[0]?.sessionId === "1" ? { status: 503 } : null));
    const stuck = first.receive("1", 5);
    const fine = first.receive("2", 3_000);
    await first.spool.flush();
    await first.stop(10_000);
    expect(keysOf(ingress, "2")).toEqual(fine);
    expect(keysOf(ingress, "1")).toEqual([]);
    ingress.intercept(null);
    const second = await startSending(ingress, { directory: first.directory });
    await waitUntil("an empty spool", () => second.spool.depth().items === 0);
    expect(keysOf(ingress, "1")).toEqual(stuck);
    expect(ingress.stored).toHaveLength(3_005);
  });

  test("H9 stop() does not wait longer than it may", async () => {
    const ingress = await startIngress();
    const { receive, stop, spool } = await startSending(ingress, { requestTimeoutMs: 60_000 });
    ingress.intercept(() => new Promise(() => {}));
    receive("1", 1);
    await spool.flush();
    await waitUntil("a request", () => ingress.requests() === 1);
    const startedAt = Date.now();
    await stop(300);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(290);
  });
});
