import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("..", import.meta.url));
const secret = "the-secret-of-this-example";

it("A3 A5 a receiver in Python takes what the sender signs, and refuses another secret", async (context) => {
  const found = await run("python3", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!found) {
    if (process.env.CI === "true") throw new Error("CI has to have python3.");
    console.warn(`Skipped "${context.task.name}": no python3 is installed`);
    return context.skip("no python3 is installed");
  }
  const url = await startReceiver();
  const send = async (WEBHOOK_SECRET: string) => {
    const { stdout } = await run("node", ["dist/main.js"], {
      cwd: folder,
      env: { ...process.env, WEBHOOK_SECRET, RECEIVER_URL: url },
    });
    return stdout.trim();
  };
  expect(await send(secret)).toBe("200 ticket.created TKT-2026-001 Größe fehlt");
  expect(await send("another-secret-of-this-example")).toBe("401 invalid signature");
});

function startReceiver(): Promise<string> {
  const child = spawn("python3", ["receiver.py"], {
    cwd: folder,
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: "0" },
  });
  onTestFinished(() => {
    child.kill();
  });
  return new Promise((resolve, reject) => {
    let printed = "";
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`The receiver ended with ${code}.`)));
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk;
      const url = /http:\S+(?=\n)/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
}
