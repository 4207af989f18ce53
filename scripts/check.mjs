// Lint, types, unused code, and what the packed packages would look like to their users.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { pnpm } from "./pm.mjs";

const published = readdirSync(new URL("../packages", import.meta.url))
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(new URL(`../${folder}/package.json`, import.meta.url)))
  .filter((folder) => !JSON.parse(readFileSync(new URL(`../${folder}/package.json`, import.meta.url), "utf8")).private);

const checks = [
  ["lint", ["exec", "biome", "ci", "--error-on-warnings", "."]],
  ["types", ["exec", "turbo", "run", "typecheck", "--output-logs=errors-only"]],
  ["unused code (knip)", ["exec", "knip"]],
  ...published.map((folder) => [`publint ${folder}`, ["exec", "publint", "--strict", folder]]),
  ...published.map((folder) => [`attw ${folder}`, ["exec", "attw", "--pack", folder, "--format", "ascii", "--quiet"]]),
];

const failed = checks.filter(([title, args]) => {
  const code = pnpm(args);
  console.log(`${code === 0 ? "✓" : "✗"} ${title}`);
  return code !== 0;
});
process.exit(failed.length === 0 ? 0 : 1);
