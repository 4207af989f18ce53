// `npm test`: the checks, then every test. Arguments go to vitest: `npm test -- packages/postgres`.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const filters = process.argv.slice(2);

/** Not through pnpm: `npm exec` leaves settings in the environment that npm clients started by a test would obey. */
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;

const checks = filters.length === 0 ? run("scripts/check.mjs") : 0;
const tests = run(
  "node_modules/vitest/vitest.mjs",
  "run",
  "--reporter=default",
  "--reporter=./scripts/closing-line-reporter.mjs",
  ...filters,
);
if (checks !== 0) console.error("The checks failed: see the lines with ✗ above the tests.");
process.exit(checks || tests);
