import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const FORBIDDEN = [
  ["core", "@hookline/postgres"],
  ["webhook-signing", "@hookline/core"],
  ["postgres", "@hookline/dispatcher"],
  ["dispatcher", "@hookline/engine"],
  ["engine", "@hookline/dispatcher"],
  ["engine", "@hookline/dispatcher/testing"],
  ["connector-discord", "@hookline/engine"],
  ["connector-discord", "@hookline/dispatcher"],
  ["destination-slack", "@hookline/connector-discord"],
  ["discord-simulator", "@hookline/connector-discord"],
] as const;
const ALLOWED = [
  ["engine", "@hookline/core"],
  ["dispatcher", "@hookline/webhook-signing"],
  ["connector-discord", "@hookline/core"],
] as const;
const REPORTED = [
  ["noUndeclaredDependencies", `import express from "express";\nexport const app = express;\n`],
  ["noProcessEnv", `export const home = process.env.HOME;\n`],
  ["noConsole", `export function shout() {\n  console.log("x");\n}\n`],
  ["useMaxParams", `export function f(a: 1, b: 1, c: 1, d: 1) {\n  return [a, b, c, d];\n}\n`],
  ["noFloatingPromises", `async function f() {}\nexport function g() {\n  f();\n}\n`],
  ["noExcessiveLinesPerFile", `export const x = [\n${"  1,\n".repeat(400)}];\n`],
] as const;

/** Source files put into packages for a moment, by what is in them, and the rules that Biome finds broken there. */
const probes = new Map<string, { readonly folder: string; readonly broken: Set<string> }>();

function writeProbe(name: string, packageName: string, files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(root, "packages", packageName, "src", "lint-probe-"));
  probes.set(name, { folder, broken: new Set() });
  for (const [file, source] of Object.entries(files)) writeFileSync(join(folder, file), source);
}

const importing = (imported: string) => ({ "probe.ts": `import { x } from "${imported}";\nexport const y = x;\n` });
const brokenBy = (name: string) => [...(probes.get(name)?.broken ?? [])];

// One run for all of them: each run reads the whole repository.
beforeAll(() => {
  for (const [packageName, imported] of [...FORBIDDEN, ...ALLOWED]) {
    writeProbe(`${packageName} ${imported}`, packageName, importing(imported));
  }
  for (const [rule, source] of REPORTED) writeProbe(rule, "engine", { "probe.ts": source });
  writeProbe("cycle", "engine", {
    "one.ts": `import { two } from "./two.js";\nexport const one = () => two;\n`,
    "two.ts": `import { one } from "./one.js";\nexport const two = () => one;\n`,
  });
  const folders = [...probes.values()].map(({ folder }) => folder);
  const { stdout } = spawnSync(
    join(root, "node_modules/.bin/biome"),
    ["lint", "--reporter=json", "--max-diagnostics=none", ...folders],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const report = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  for (const { category, location } of report.diagnostics) {
    const path = typeof location.path === "string" ? location.path : location.path.file;
    const probe = [...probes.values()].find(({ folder }) => path.includes(basename(folder)));
    probe?.broken.add(category.replace(/^lint\/\w+\//, ""));
  }
}, 120_000);

afterAll(() => {
  for (const { folder } of probes.values()) rmSync(folder, { recursive: true, force: true });
});

describe("the lint rules hold the house together", () => {
  it.each(FORBIDDEN)("refuses an import of %s from %s", (packageName, imported) => {
    expect(brokenBy(`${packageName} ${imported}`)).toContain("noRestrictedImports");
  });

  it.each(ALLOWED)("lets %s import %s", (packageName, imported) => {
    expect(brokenBy(`${packageName} ${imported}`)).not.toContain("noRestrictedImports");
  });

  it.each(REPORTED)("reports %s in library code", (rule) => {
    expect(brokenBy(rule)).toContain(rule);
  });

  it("reports an import cycle", () => {
    expect(brokenBy("cycle")).toContain("noImportCycles");
  });
});
