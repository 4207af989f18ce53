import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
}

describe("npm start", () => {
  it("N6 H1 H2 H3 E1 E3 E5 X2 X3 plays the whole loop with --once and sees every step", async () => {
    const { code, output } = await run(["--once"]);
    expect(output, output).toContain("Every step was seen");
    expect(code).toBe(0);
    expect(output).not.toContain("✗");
    const steps = output.match(/^\S*[1-5] {2}\S/gm) ?? [];
    expect(steps).toHaveLength(5);
  }, 300_000);

  it("says which port is in use and how to choose another", async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, "127.0.0.1", () => resolve((holder.address() as { port: number }).port));
    });
    const { code, output } = await run([], { API_PORT: String(port) });
    await new Promise((resolve) => holder.close(resolve));
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} is in use`);
    expect(output).toContain("API_PORT");
  }, 60_000);
});
