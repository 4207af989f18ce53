import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULTS } from "../src/defaults.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const readme = await readFile(here("../README.md"), "utf8");
const section = /## Sources: [\s\S]*?(?=\n## )/.exec(readme)?.[0] ?? "";

it("the README's example of a source runs as it stands", async () => {
  const example = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
  const program = here(`./readme-source-${process.pid}.mjs`);
  await writeFile(program, example);
  onTestFinished(() => rm(program));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toMatch(/200 \{ status: 'success', executionId: 'exe_\w+' \}/);
}, 60_000);

it("the README says what a source does where nothing is said", () => {
  const { rateLimit, toleranceSeconds, replayTtlSeconds, maxBodyBytes } = DEFAULTS.source;
  expect(section).toContain(`| ${rateLimit.max} in ${rateLimit.windowSeconds} s `);
  expect(section).toContain(`| ${toleranceSeconds} `);
  expect(section).toContain(`| ${replayTtlSeconds / 86_400} days `);
  expect(section).toContain(`| ${maxBodyBytes / 1024} KiB `);
  for (const { keptMs, maxPerSource } of [DEFAULTS.executions, DEFAULTS.refusals]) {
    expect(section).toContain(`${keptMs / 86_400_000} days and ${maxPerSource.toLocaleString("en")} per source`);
  }
});
