// `npm run test:chaos`: the tests of crashes in full size, whose figures go to bench/results/chaos.json. Arguments go to
// vitest. `CHAOS_SEED` repeats a run, `CHAOS_KILLS` sets its size.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = mkdtempSync(join(tmpdir(), "hookline-chaos-results-"));
const files = ["packages/dispatcher/test/chaos", "apps/gateway-worker/test/loss.test.ts"];
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "--maxWorkers=1", ...files];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, CHAOS: "full", CHAOS_RESULTS: results },
});

const runs = Object.fromEntries(
  readdirSync(results)
    .sort()
    .map((file) => [file.replace(".json", ""), JSON.parse(readFileSync(join(results, file), "utf8"))]),
);
rmSync(results, { recursive: true });
console.log(JSON.stringify(runs, null, 2));
if (status === 0) {
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  };
  const record = { name: "chaos", measuredAt: new Date().toISOString(), machine, runs };
  writeFileSync(join(root, "bench/results/chaos.json"), `${JSON.stringify(record, null, 2)}\n`);
}
process.exit(status ?? 1);
