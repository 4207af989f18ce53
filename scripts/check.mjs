// Lint, types, unused code, and what the packed packages would look like to their users.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pnpm } from "./pm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program of the root's devDependencies. */
const tool =
  (name, ...args) =>
  () =>
    spawnSync(`${root}node_modules/.bin/${name}`, args, {
      cwd: root,
      stdio: "inherit",
      shell: process.platform === "win32",
    }).status;

const published = readdirSync(`${root}packages`)
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(`${root}${folder}/package.json`))
  .filter((folder) => !JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8")).private);

const checks = [
  ["lint", tool("biome", "ci", "--error-on-warnings", ".")],
  ["types", () => pnpm(["exec", "turbo", "run", "typecheck", "--output-logs=errors-only"])],
  ["types of the repository's own tests", tool("tsc", "-p", "tsconfig.json")],
  ["unused code (knip)", tool("knip")],
  ...published.map((folder) => [`publint ${folder}`, tool("publint", "--strict", "--pack", "npm", folder)]),
  // node10 is left out: that resolution ended with Node 12 and knows no `exports`.
  ...published.map((folder) => [
    `types as packed (attw) ${folder}`,
    tool("attw", "--pack", folder, "--profile", "node16", "--format", "ascii", "--quiet"),
  ]),
];

const failed = checks.filter(([title, run]) => {
  const started = performance.now();
  const passed = run() === 0;
  console.log(`${passed ? "✓" : "✗"} ${title}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return !passed;
});
process.exit(failed.length === 0 ? 0 : 1);
