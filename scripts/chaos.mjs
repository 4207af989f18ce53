// `npm run test:chaos`: the tests of crashes in full size, whose figures go to bench/results/chaos.json. Arguments go to
// vitest. `CHAOS_SEED` repeats a run, `CHAOS_KILLS` and, for the gateway worker, `CHAOS_ROUNDS`
// set its size. An interrupted run writes what it has, with `complete: false`.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
const results = mkdtempSync(join(tmpdir(), "hookline-chaos-results-"));
const files = ["packages/dispatcher/test/chaos", "apps/gateway-worker/test/loss.test.ts"];
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "--maxWorkers=1", ...files];
const running = spawn(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, CHAOS: "full", CHAOS_RESULTS: results },
});
// The terminal sends Ctrl-C to vitest as well; a signal to this process alone is handed on.
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    interrupted = true;
    running.kill(signal);
  });
}
const [status] = await once(running, "exit");

const runs = Object.fromEntries(
  readdirSync(results)
    .sort()
    .map((file) => [file.replace(".json", ""), JSON.parse(readFileSync(join(results, file), "utf8"))]),
);
rmSync(results, { recursive: true });
console.log(JSON.stringify(runs, null, 2));
const complete = status === 0 && !interrupted;
// A test that fails leaves the last record as it is. What an interrupted run had counted is kept, and marked.
if (complete || (interrupted && Object.keys(runs).length > 0)) {
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  };
  const record = { name: "chaos", commit, measuredAt: new Date().toISOString(), complete, machine, runs };
  writeFileSync(join(root, "bench/results/chaos.json"), `${JSON.stringify(record, null, 2)}\n`);
}
process.exit(complete ? 0 : status || 1);
