import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import * as engine from "../src/index.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = await readFile(here("../README.md"), "utf8");

it("the README's example runs as it stands", async () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const program = here(`./readme-example-${process.pid}.mjs`);
  await writeFile(program, example);
  onTestFinished(() => rm(program));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toContain("{ kind: 'email', value: 'jo@example.com' }");
  expect(stdout).toMatch(/\[ 'user\.signed_up', 'page\.viewed' \]|\[ 'page\.viewed', 'user\.signed_up' \]/);
}, 60_000);

it("the README names every function and every error code", async () => {
  for (const name of Object.keys(engine)) expect(readme).toContain(name);
  const source = await readFile(here("../src/errors.ts"), "utf8");
  const codes = [...source.matchAll(/\| "(\w+)"/g)].map(([, code]) => code as string);
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(readme).toContain(`| \`${code}\` `);
});
