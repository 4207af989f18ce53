import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const written: string[] = [];

afterEach(() => {
  for (const folder of written.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Puts a source file into a package for a moment and answers the rules that Biome finds broken in it. */
function rulesBrokenBy(packageName: string, source: string): string[] {
  const folder = mkdtempSync(join(root, "packages", packageName, "src", "lint-probe-"));
  written.push(folder);
  const file = join(folder, "probe.ts");
  writeFileSync(file, source);
  const { stdout } = spawnSync(join(root, "node_modules/.bin/biome"), ["lint", "--reporter=json", file], {
    cwd: root,
    encoding: "utf8",
  });
  const report = JSON.parse(stdout) as { diagnostics: { category: string }[] };
  return report.diagnostics.map(({ category }) => category.replace(/^lint\/\w+\//, ""));
}

describe("the lint rules hold the house together", () => {
  it.each([
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
  ])("refuses an import of %s from %s", (packageName, imported) => {
    const broken = rulesBrokenBy(packageName, `import { x } from "${imported}";\nexport const y = x;\n`);
    expect(broken).toContain("noRestrictedImports");
  });

  it.each([
    ["engine", "@hookline/core"],
    ["dispatcher", "@hookline/webhook-signing"],
    ["connector-discord", "@hookline/core"],
  ])("lets %s import %s", (packageName, imported) => {
    const broken = rulesBrokenBy(packageName, `import { x } from "${imported}";\nexport const y = x;\n`);
    expect(broken).not.toContain("noRestrictedImports");
  });

  it.each([
    ["noUndeclaredDependencies", `import express from "express";\nexport const app = express;\n`],
    ["noProcessEnv", `export const home = process.env.HOME;\n`],
    ["noConsole", `export function shout() {\n  console.log("x");\n}\n`],
    ["useMaxParams", `export function f(a: 1, b: 1, c: 1, d: 1) {\n  return [a, b, c, d];\n}\n`],
    ["noFloatingPromises", `async function f() {}\nexport function g() {\n  f();\n}\n`],
    ["noExcessiveLinesPerFile", `export const x = [\n${"  1,\n".repeat(400)}];\n`],
  ])("reports %s in library code", (rule, source) => {
    expect(rulesBrokenBy("engine", source)).toContain(rule);
  });

  it("reports an import cycle", () => {
    const folder = mkdtempSync(join(root, "packages/engine/src/lint-probe-"));
    written.push(folder);
    writeFileSync(join(folder, "one.ts"), `import { two } from "./two.js";\nexport const one = () => two;\n`);
    writeFileSync(join(folder, "two.ts"), `import { one } from "./one.js";\nexport const two = () => one;\n`);
    const { stdout } = spawnSync(join(root, "node_modules/.bin/biome"), ["lint", "--reporter=json", folder], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).toContain("noImportCycles");
  });
});
