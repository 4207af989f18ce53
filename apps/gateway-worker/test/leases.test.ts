import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startEngineApi } from "../../../packages/connector-discord/test/gateway/support/engine-api.js";
import {
  type LeasingApi,
  startLeasingApi,
} from "../../../packages/connector-discord/test/gateway/support/leasing-api.js";
import {
  numbers,
  type Surroundings,
  sayNumbers,
  startSurroundings,
} from "../../../packages/connector-discord/test/gateway/support/running.js";
import { waitUntil } from "../../../packages/connector-discord/test/gateway/support/wait-until.js";
import { spawnWorker } from "./support/worker-process.js";

const TTL_MS = 2_000;

/** A worker process with a spool of its own, as on a machine of its own. */
async function spawnReplica({ simulator, directory }: Surroundings, api: LeasingApi, name: string) {
  const own = join(directory, name);
  await mkdir(own, { recursive: true });
  const worker = spawnWorker(own, {
    DISCORD_BOT_TOKEN: simulator.application.botToken,
    DISCORD_API_BASE_URL: `${simulator.url}/api/v10`,
    API_PUBLIC_URL: api.url,
    CONNECTOR_INGRESS_SECRET: api.secret,
    DISCORD_SHARD_COUNT: "1",
    SHARD_LEASES: "true",
    SHARD_LEASE_TTL_MS: String(TTL_MS),
  });
  return worker;
}

test("N2 a SIGKILL of the worker that holds the shard: the other resumes within the lease's time, and nothing is lost", {
  timeout: 120_000,
}, async () => {
  const around = await startSurroundings();
  const api = await startEngineApi();
  // Of one moment, several: their order in the log is by id.
  const stored = async () => (await api.texts()).toSorted((a, b) => Number(a) - Number(b));
  const first = await spawnReplica(around, api, "first");
  await first.connected();
  const second = await spawnReplica(around, api, "second");
  await sayNumbers(around.simulator, [1, 50]);
  first.kill("SIGKILL");
  await first.exit;
  const killedAtMs = performance.now();
  // What it had received last lies in its spool, which nobody sends now; of these nobody knows yet.
  await sayNumbers(around.simulator, [51, 100]);
  await second.connected();
  // The lease, a third of it until it is asked for again, and the machine's own time.
  expect(performance.now() - killedAtMs).toBeLessThan(2 * TTL_MS + 3_000);
  await waitUntil("all messages", async () => (await api.texts()).length >= 100);
  expect(await stored()).toEqual(numbers(1, 100));
  expect(second.output()).toContain("Resumed the session");
  expect(second.output()).not.toContain("with a new session");

  // It comes back with what it had: that is not sent from behind the fence.
  const again = await spawnReplica(around, api, "first");
  await sayNumbers(around.simulator, [101, 110]);
  await waitUntil("later messages", async () => (await api.texts()).length >= 110);
  second.kill("SIGTERM");
  expect(await second.exit).toBe(0);
  await again.connected();
  await sayNumbers(around.simulator, [111, 120]);
  await waitUntil("the last messages", async () => (await api.texts()).length >= 120);
  expect(await stored()).toEqual(numbers(1, 120));
  expect(await api.gaps()).toBe(0);
  expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
});

test("N2 a worker that was stopped for longer than its lease sends nothing any more when it wakes", {
  timeout: 60_000,
}, async () => {
  const around = await startSurroundings();
  const api = await startLeasingApi();
  const first = await spawnReplica(around, api, "first");
  await first.connected();
  const second = await spawnReplica(around, api, "second");
  await sayNumbers(around.simulator, [1, 20]);
  await waitUntil("the messages", async () => (await api.texts()).length === 20);
  first.kill("SIGSTOP");
  // They lie in the stopped process's socket.
  await sayNumbers(around.simulator, [21, 40]);
  await second.connected();
  await waitUntil("all messages", async () => (await api.texts()).length >= 40);
  first.kill("SIGCONT");
  await waitUntil("its leaving", () => first.output().includes("Another worker has taken the shard over"));
  await sayNumbers(around.simulator, [41, 50]);
  await waitUntil("later messages", async () => (await api.texts()).length >= 50);
  expect(await api.texts()).toEqual(numbers(1, 50));
  expect(await api.gaps()).toBe(0);
  expect((await around.simulator.state()).gateway.identifiesLeft).toBe(999);
});
