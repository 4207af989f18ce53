// `npm test`: the checks, then every test. Arguments go to vitest: `npm test -- packages/postgres`.
import { spawnSync } from "node:child_process";
import { pnpm } from "./pm.mjs";

const filters = process.argv.slice(2);
const checks =
  filters.length === 0 ? (spawnSync(process.execPath, ["scripts/check.mjs"], { stdio: "inherit" }).status ?? 1) : 0;
const tests = pnpm([
  "exec",
  "vitest",
  "run",
  "--reporter=default",
  "--reporter=./scripts/closing-line-reporter.mjs",
  ...filters,
]);
if (checks !== 0) console.error("The checks failed: see the lines with ✗ above the tests.");
process.exit(checks || tests);
