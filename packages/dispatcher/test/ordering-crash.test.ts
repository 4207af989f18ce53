import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDispatcher, openReceiver, TENANT, until } from "./open-dispatcher.js";

const KILLS = 8;
/** As many as the program uses. */
const KEYS = 12;
const CHILD = fileURLToPath(new URL("./ordering-worker.mjs", import.meta.url));

/** Runs a worker, kills it some time after its first commit, and answers what it said was committed. */
async function runAndKill(url: string, schema: string, first: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [CHILD, url, schema, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const committed: number[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => committed.push(Number(line)));
  const ended = once(child, "exit");
  await Promise.race([until(() => committed.length > 0), ended]);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
  child.kill("SIGKILL");
  const [, signal] = await ended;
  expect(signal).toBe("SIGKILL");
  return committed;
}

describeMatrix({ describe, beforeAll, afterAll }, ["postgres"], (databases) => {
  it(`N5 turns no order round over ${KILLS} kills`, { timeout: 90_000 }, async () => {
    const { dispatcher, another, database, schema, url } = await openDispatcher(databases, {
      leaseMs: 1_500,
      timeoutMs: 1_000,
      pollMs: 100,
    });
    const receiver = await openReceiver({ answer: () => ({ status: Math.random() < 0.05 ? 503 : 200 }) });
    await dispatcher.endpoints.create({
      tenantId: TENANT,
      target: { url: receiver.url },
      events: ["*"],
      policy: { ordering: "block", retrySchedule: { delaysMs: Array.from({ length: 20 }, () => 10), jitterRatio: 0 } },
    });
    const committed: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      // One that lives beside those that are killed, from the third on.
      if (kill === 2) await another().start();
      committed.push(...(await runAndKill(url ?? "", schema, 1 + kill * 1_000_000)));
    }
    // The killed ones' leases run out, and these take over.
    await dispatcher.start();
    await until(async () => {
      const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${schema}.queue`);
      return row?.n === 0;
    });
    const received = receiver.requests.map((request) => (request.json() as { data: { n: number } }).data.n);
    expect(committed.length).toBeGreaterThanOrEqual(KILLS);
    expect(committed.filter((n) => !received.includes(n))).toEqual([]);
    for (let key = 0; key < KEYS; key += 1) {
      const ofKey = received.filter((n) => n % KEYS === key);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
  });
});
