// Runs the pnpm version that package.json pins: from the PATH where it matches, else through `npm exec`.
// Usage: node scripts/pm.mjs <pnpm arguments>
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const version = packageManager.split("@")[1];

/** @param {string[]} args pnpm arguments
 *  @param {import("node:child_process").SpawnSyncOptions} [options]
 *  @returns {number} the exit code */
export function pnpm(args, options = {}) {
  const [command, prefix] = pnpmCommand();
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
    ...options,
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function pnpmCommand() {
  // npm hands its own settings down as npm_config_*, which pnpm would read as its own.
  const found = spawnSync("pnpm", ["--version"], { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
  if (found.status === 0 && found.stdout.trim() === version) return ["pnpm", []];
  return ["npm", ["exec", "--yes", `--package=pnpm@${version}`, "--", "pnpm"]];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(pnpm(process.argv.slice(2)));
