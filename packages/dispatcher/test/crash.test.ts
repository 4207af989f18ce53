import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeMatrix } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openDispatcher, openReceiver, subscribeReceiver, until } from "./open-dispatcher.js";

const KILLS = 6;
const CHILD = fileURLToPath(new URL("./crash-worker.mjs", import.meta.url));

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
  it(`N1 loses no committed event and sends no rolled-back one over ${KILLS} kills`, { timeout: 90_000 }, async () => {
    const { dispatcher, database, schema, url } = await openDispatcher(databases, { leaseMs: 1_500, timeoutMs: 1_000 });
    const receiver = await openReceiver({ answer: () => ({ delayMs: Math.random() * 20 }) });
    await subscribeReceiver(dispatcher, receiver);
    const committed: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      committed.push(...(await runAndKill(url ?? "", schema, 1 + kill * 1_000_000)));
    }
    // The killed ones' leases run out, and this one takes over.
    await dispatcher.start();
    await until(async () => {
      const [row] = await database.query<{ n: number }>(`select count(*)::int as n from ${schema}.queue`);
      return row?.n === 0;
    });
    const numberOf = (text: string) => JSON.parse(text) as { n: number; isRolledBack: boolean };
    const stored = (await database.query<{ body: string }>(`select body from ${schema}.events`)).map(({ body }) =>
      numberOf(body),
    );
    const received = receiver.requests.map((request) => (request.json() as { data: ReturnType<typeof numberOf> }).data);
    const storedNumbers = new Set(stored.map(({ n }) => n));
    const receivedNumbers = new Set(received.map(({ n }) => n));
    expect(committed.length).toBeGreaterThanOrEqual(KILLS);
    expect(committed.filter((n) => !storedNumbers.has(n))).toEqual([]);
    expect([...storedNumbers].filter((n) => !receivedNumbers.has(n))).toEqual([]);
    expect([...receivedNumbers].filter((n) => !storedNumbers.has(n))).toEqual([]);
    expect(received.filter(({ isRolledBack }) => isRolledBack)).toEqual([]);
    // At least once: what comes twice is what was in flight when its worker was killed.
    expect(received.length - receivedNumbers.size).toBeLessThanOrEqual(KILLS * 70);
  });
});
