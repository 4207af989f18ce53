import { type ChildProcess, execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { aiSupport, sign } from "@hookline/webhook-signing";
import { afterAll, beforeAll, expect, it, type TestContext } from "vitest";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("..", import.meta.url));
const secret = "the-secret-of-this-example";
const started: { process?: ChildProcess; url: string } = { url: "" };

beforeAll(async () => {
  const child = spawn("node", ["dist/main.js"], {
    cwd: folder,
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: "0" },
  });
  started.process = child;
  started.url = await new Promise((resolve, reject) => {
    let printed = "";
    child.on("exit", (code) => reject(new Error(`The receiver ended with ${code}.`)));
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk;
      const url = /http:\S+(?=\n)/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
});

afterAll(() => {
  started.process?.kill();
});

it("A5 the receiver in Node takes what a sender in Python signs, once, and refuses another secret", async (context) => {
  await needPython(context);
  const send = async (WEBHOOK_SECRET: string) => {
    const { stdout } = await run("python3", ["sender.py", started.url], {
      cwd: folder,
      env: { ...process.env, WEBHOOK_SECRET },
    });
    return stdout.trim();
  };
  expect(await send(secret)).toBe('200 {"status":"created","event":"ticket.create","subject":"Größe fehlt"}');
  expect(await send(secret)).toBe('200 {"status":"duplicate"}');
  expect(await send("another-secret-of-this-example")).toBe("401");
});

it("A5 the receiver in Node takes what sign makes, and refuses what is not signed", async () => {
  const body = JSON.stringify({ event: "ticket.create", data: { subject: "Hello" } });
  const headers = sign(body, { scheme: aiSupport, secrets: [secret] });
  const accepted = await fetch(started.url, { method: "POST", body, headers });
  expect([accepted.status, await accepted.json()]).toEqual([
    200,
    { status: "created", event: "ticket.create", subject: "Hello" },
  ]);
  expect((await fetch(started.url, { method: "POST", body })).status).toBe(401);
});

async function needPython(context: TestContext): Promise<void> {
  const found = await run("python3", ["--version"]).then(
    () => true,
    () => false,
  );
  if (found) return;
  if (process.env.CI === "true") throw new Error("CI has to have python3.");
  console.warn(`Skipped "${context.task.name}": no python3 is installed`);
  context.skip("no python3 is installed");
}
