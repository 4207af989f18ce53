import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

it("N1 W5 the example delivers what it committed, signed", async () => {
  const { DATABASE_URL: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)("node", ["dist/main.js"], { cwd: folder, env });
  expect(stdout).toMatch(/^verified {"type":"ticket.created","timestamp":"[^"]+","data":{"number":1}}\n$/);
});

it("stands in the README of the dispatcher as it is", async () => {
  const source = await readFile(new URL("../src/main.ts", import.meta.url), "utf8");
  const readme = await readFile(new URL("../../../packages/dispatcher/README.md", import.meta.url), "utf8");
  expect(readme).toContain(source);
});
