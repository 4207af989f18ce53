import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GatewayWorkerOptions } from "../../src/gateway/index.js";
import { type LeasingApi, startLeasingApi } from "./support/leasing-api.js";
import { createWorker, numbers, type Surroundings, sayNumbers, startSurroundings } from "./support/running.js";
import { temporaryDirectory } from "./support/temporary-directory.js";
import { waitUntil } from "./support/wait-until.js";

const TTL_MS = 1_500;

/** A worker with a spool of its own, as on a machine of its own. */
async function replica(around: Surroundings, api: LeasingApi, options: Partial<GatewayWorkerOptions> = {}) {
  const directory = await temporaryDirectory();
  const made = createWorker(
    { ...around, directory },
    { apiPublicUrl: api.url, ingressSecret: api.secret, shardCount: 1, shardLeases: { ttlMs: TTL_MS }, ...options },
  );
  return { ...made, directory };
}

async function startBoth(options: Partial<GatewayWorkerOptions> = {}) {
  const around = await startSurroundings();
  const api = await startLeasingApi();
  const first = await replica(around, api, options);
  await first.worker.start();
  const second = await replica(around, api, options);
  await second.worker.start();
  return { around, api, first, second };
}

describe("gateway workers that share shards", () => {
  test("N2 one holds the shard, the other stands by; a stop hands it over by RESUME", async () => {
    const { around, api, first, second } = await startBoth();
    expect(first.worker.stats()).toMatchObject({ state: "running", leases: { held: [0] } });
    expect(second.worker.stats()).toMatchObject({ state: "standby", leases: { held: [] } });
    expect(second.logger.text().match(/standing by/g)).toHaveLength(1);
    await sayNumbers(around.simulator, [1, 20]);
    await waitUntil("the messages", async () => (await api.texts()).length === 20);
    await first.worker.stop();
    await sayNumbers(around.simulator, [21, 40]);
    await waitUntil("all messages", async () => (await api.texts()).length >= 40);
    expect(await api.texts()).toEqual(numbers(1, 40));
    expect(second.worker.stats()).toMatchObject({ state: "running", gateway: { identifies: 0, resumes: 1, gaps: 0 } });
    expect(await api.gaps()).toBe(0);
  });

  test("N2 a worker that can't reach the API stays away from Discord, where another one may be", async () => {
    const around = await startSurroundings();
    const api = await startLeasingApi();
    const cut = await replica(around, api, { fetch: () => Promise.reject(new Error("no route")) });
    const stopped = expect(cut.worker.start()).rejects.toMatchObject({ code: "stopped" });
    await waitUntil("a warning", () => cut.logger.text().includes("does not answer for the leases"));
    expect((await around.simulator.state()).gateway).toMatchObject({ connections: 0, identifiesLeft: 1000 });
    await cut.worker.stop();
    await stopped;
  });

  test("N2 a worker without leases beside one that has them says so, and sends what it has when that one is gone", async () => {
    const around = await startSurroundings();
    const api = await startLeasingApi();
    const leasing = await replica(around, api);
    await leasing.worker.start();
    const lone = createWorker(
      { ...around, directory: await temporaryDirectory() },
      { apiPublicUrl: api.url, ingressSecret: api.secret },
    );
    await lone.worker.start();
    await sayNumbers(around.simulator, [1, 5]);
    await waitUntil("an error", () => lone.logger.text().includes("SHARD_LEASES"));
    expect(lone.worker.stats()).toMatchObject({
      spool: { items: 5 },
      ingress: { trouble: expect.stringContaining("HTTP 409") },
    });
    await leasing.worker.stop();
    await waitUntil("what it has kept", () => lone.worker.stats().spool.items === 0);
    expect(await api.texts()).toEqual(numbers(1, 5));
  });

  test("N2 what a holder sends behind a fence is refused, and is not sent twice nor lost", async () => {
    let cutOff = false;
    const around = await startSurroundings();
    const api = await startLeasingApi();
    // As a machine whose network is gone, but for Discord: its leases run out, and it does not know.
    const cut: typeof fetch = (...args) => (cutOff ? Promise.reject(new Error("no route")) : fetch(...args));
    const first = await replica(around, api, { fetch: cut });
    await first.worker.start();
    await sayNumbers(around.simulator, [1, 10]);
    await waitUntil("the messages", async () => (await api.texts()).length === 10);
    cutOff = true;
    await sayNumbers(around.simulator, [11, 20]);
    await waitUntil("the spool", () => first.worker.stats().gateway.receivedPackets === 20);
    const second = await replica(around, api);
    await second.worker.start();
    await waitUntil("the second", () => second.worker.stats().state === "running");
    await waitUntil("what the first has kept", async () => (await api.texts()).length === 20);
    await sayNumbers(around.simulator, [21, 30]);
    await waitUntil("all messages", async () => (await api.texts()).length === 30);
    cutOff = false;
    await waitUntil("the first to stand by", () => first.worker.stats().state === "standby");
    await waitUntil("the first's spool to be empty", () => first.worker.stats().spool.items === 0);
    expect(await api.texts()).toEqual(numbers(1, 30));
    expect(first.worker.stats().ingress.deadLetters).toBe(0);
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 0, gaps: 0 });
    expect(await api.gaps()).toBe(0);
  });

  test("N2 hands over from where the API has everything, not from where the spool ends", async () => {
    const around = await startSurroundings();
    const api = await startLeasingApi();
    let works = (_url: string) => true;
    let renewals = 0;
    const flaky: typeof fetch = async (input, init) => {
      if (!works(String(input))) {
        throw new Error("no route");
      }
      renewals += String(input).endsWith("/shard-leases") ? 1 : 0;
      return fetch(input, init);
    };
    const first = await replica(around, api, { fetch: flaky });
    await first.worker.start();
    await sayNumbers(around.simulator, [1, 10]);
    await waitUntil("the messages", async () => (await api.texts()).length === 10);
    // It goes on renewing its lease while the ingress takes nothing.
    works = (url) => url.endsWith("/shard-leases");
    await sayNumbers(around.simulator, [11, 20]);
    await waitUntil("the spool", () => first.worker.stats().gateway.receivedPackets === 20);
    const before = renewals;
    await waitUntil("two renewals", () => renewals >= before + 2);
    // Then its machine is gone, and the spool with it.
    works = () => false;
    const second = await replica(around, api);
    await second.worker.start();
    await waitUntil("all messages", async () => (await api.texts()).length === 20);
    expect(await api.texts()).toEqual(numbers(1, 20));
    expect(second.worker.stats().gateway).toMatchObject({ identifies: 0, gaps: 0 });
  });

  test("N2 what its successor could not get is set aside by a worker that comes back, and the gap is told", async () => {
    const around = await startSurroundings();
    const api = await startLeasingApi();
    let cutOff = false;
    const cut: typeof fetch = (...args) => (cutOff ? Promise.reject(new Error("no route")) : fetch(...args));
    const first = await replica(around, api, { fetch: cut });
    await first.worker.start();
    await sayNumbers(around.simulator, [1, 5]);
    await waitUntil("the messages", async () => (await api.texts()).length === 5);
    cutOff = true;
    await sayNumbers(around.simulator, [6, 10]);
    await waitUntil("the spool", () => first.worker.stats().gateway.receivedPackets === 10);
    await around.simulator.faults.invalidateSessions({ resumable: false });
    const second = await replica(around, api);
    await second.worker.start();
    await waitUntil("the gap", async () => (await api.gaps()) === 1);
    cutOff = false;
    await waitUntil("the first's spool to be empty", () => first.worker.stats().spool.items === 0);
    expect(first.worker.stats().ingress.deadLetters).toBeGreaterThanOrEqual(5);
    const letters = await readFile(join(first.directory, "dead-letters.jsonl"), "utf8");
    expect(letters).toContain('"code":"handed_over"');
    await sayNumbers(around.simulator, [11, 12]);
    await waitUntil("later messages", async () => (await api.texts()).length === 7);
    expect(await api.texts()).toEqual([...numbers(1, 5), ...numbers(11, 12)]);
  });

  test("N2 shards are shared out where each worker takes some, and all are taken when one ends", async () => {
    const around = await startSurroundings({ shards: 2, maxConcurrency: 2 });
    for (const name of ["one", "two", "three", "four"]) {
      const { id } = await around.simulator.addGuild({ name });
      await around.simulator.addChannel({ name: `in-${name}`, guild: id });
      await around.simulator.member("anna").join(id);
    }
    const api = await startLeasingApi();
    const options = { shardCount: 2, shardLeases: { ttlMs: TTL_MS, maxShards: 1 } };
    const [first, second] = [await replica(around, api, options), await replica(around, api, options)];
    await Promise.all([first.worker.start(), second.worker.start()]);
    await waitUntil("both", () => [first, second].every(({ worker }) => worker.stats().state === "running"));
    expect([first, second].flatMap(({ worker }) => worker.stats().leases?.held).sort()).toEqual([0, 1]);
    const all = await replica(around, api, { ...options, shardLeases: { ttlMs: TTL_MS } });
    await all.worker.start();
    expect(all.worker.stats().state).toBe("standby");
    await Promise.all([first.worker.stop(), second.worker.stop()]);
    for (const name of ["one", "two", "three", "four"]) {
      await around.simulator.member("anna").say(`in-${name}`, name);
    }
    await waitUntil("both shards", () => all.worker.stats().leases?.held.length === 2);
    await waitUntil("all messages", async () => (await api.texts()).length === 4);
    expect([...(await api.texts())].sort()).toEqual(["four", "one", "three", "two"]);
    expect(await api.gaps()).toBe(0);
  });

  test("N2 shards that no worker may take are told as an error, until one takes them", async () => {
    const around = await startSurroundings({ shards: 3, maxConcurrency: 3 });
    const api = await startLeasingApi();
    const options = { shardCount: 3, health: { port: 0 } };
    const some = await replica(around, api, { ...options, shardLeases: { ttlMs: TTL_MS, maxShards: 1 } });
    await some.worker.start();
    const metrics = async () => (await fetch(`http://127.0.0.1:${some.worker.healthPort()}/metrics`)).text();
    expect(await metrics()).toContain("\nhookline_gateway_shards_unheld 0\n");
    await waitUntil("an error", () => some.logger.text().includes("No worker holds these shards"));
    expect(some.logger.text()).toContain("MAX_SHARDS");
    expect(some.worker.stats().leases).toMatchObject({ held: [0], unheld: [1, 2] });
    expect(await metrics()).toContain("\nhookline_gateway_shards_unheld 2\n");
    const rest = await replica(around, api, { ...options, shardLeases: { ttlMs: TTL_MS } });
    await rest.worker.start();
    await waitUntil("its answer", () => some.worker.stats().leases?.unheld.length === 0);
  });
});
