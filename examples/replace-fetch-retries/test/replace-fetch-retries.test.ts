import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createReceiver, type ReceivedRequest } from "@hookline/dispatcher/testing";
import { createPgliteDirectory } from "@hookline/postgres/testing";
import { aiSupport } from "@hookline/webhook-signing";
import { expect, it, onTestFinished } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const secret = "the-secret-of-this-example";

/** A receiver that refuses so many requests first, and what the program says and sends. */
async function run(program: "before" | "after", refusals: number) {
  const receiver = await createReceiver({ secret, scheme: aiSupport });
  onTestFinished(() => receiver.close());
  receiver.answerWith(() => ({ status: receiver.requests.length > refusals ? 200 : 503 }));
  const home = await mkdtemp(join(tmpdir(), "hookline-retries-"));
  onTestFinished(() => rm(home, { recursive: true }));
  const data = join(home, "data");
  await createPgliteDirectory(data);
  const env = {
    ...process.env,
    DATABASE_URL: `pglite://${data}`,
    RECEIVER_URL: receiver.url,
    WEBHOOK_SECRET: secret,
  };
  const { stdout } = await promisify(execFile)("node", [`dist/${program}.js`], { cwd: folder, env });
  return { stdout, requests: receiver.requests };
}

const withoutTime = (request: ReceivedRequest | undefined) => ({
  headers: { event: request?.headers["x-webhook-event"], type: request?.headers["content-type"] },
  body: { ...(request?.json() as object), timestamp: null },
  verified: request?.verified,
});

it("A3 the receiver gets the same from the dispatcher as from the loop of fetches", { timeout: 120_000 }, async () => {
  const before = await run("before", 0);
  const after = await run("after", 0);
  expect([before.requests.length, after.requests.length]).toEqual([1, 1]);
  expect(before.requests[0]?.verified).toBe(true);
  expect(withoutTime(after.requests[0])).toEqual(withoutTime(before.requests[0]));
});

it("W5 delivers where the loop has given up", { timeout: 120_000 }, async () => {
  const before = await run("before", 4);
  expect(before.stdout).toBe("given up: nobody will know\n");
  expect(before.requests).toHaveLength(3);
  const after = await run("after", 4);
  expect(after.stdout).toBe("delivered at attempt 5\n");
  expect(after.requests).toHaveLength(5);
});
