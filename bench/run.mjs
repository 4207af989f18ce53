// `npm run bench` runs every *.bench.mjs of this folder, `npm run bench -- signing` only that one. Each runs in a
// process of its own, answers what it measured, and fails where a ratio misses its limit. Results go to results/, but
// for those of `--quick`, which measures too little to say more than that it runs, and of `--only=<part>,<part>`.
import { fork } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const folder = new URL("./", import.meta.url);
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".bench.mjs"))
  .map((file) => file.replace(".bench.mjs", ""));
const { values: flags, positionals: wanted } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string", default: "" } },
  allowPositionals: true,
});
const options = { quick: flags.quick, only: flags.only.split(",").filter((part) => part !== "") };
const isRecorded = !options.quick && options.only.length === 0;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`No bench is called ${unknown.join(", ")}. There are: ${all.join(", ")}.`);
  process.exit(2);
}

let missed = 0;
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n▸ ${name}`);
  const startedMs = performance.now();
  const result = await runApart(name);
  const tookSeconds = Math.round((performance.now() - startedMs) / 1000);
  for (const [title, rows] of Object.entries(result.figures ?? {})) {
    console.log(`\n${title}`);
    console.table(rows);
  }
  const checks = result.checks.map((check) => ({ ...check, holds: holds(check) }));
  console.table(
    checks.map(({ what, measured, atLeast, atMost, holds }) => ({
      what,
      measured: Number(measured.toPrecision(4)),
      demanded: demanded({ atLeast, atMost }),
      "": holds === undefined ? "" : holds ? "✓" : "✗ missed",
    })),
  );
  console.log(
    `It took ${tookSeconds} seconds, and other processes ${Math.round(result.busyElsewhere * 100)} % of the machine meanwhile.`,
  );
  missed += checks.filter((check) => check.holds === false).length;
  if (!isRecorded) continue;
  mkdirSync(new URL("results/", folder), { recursive: true });
  const record = { name, measuredAt: new Date().toISOString(), tookSeconds, machine: machine(), ...result, checks };
  writeFileSync(new URL(`results/${name}.json`, folder), `${JSON.stringify(record, null, 2)}\n`);
}
console.log(missed === 0 ? "\nAll limits hold." : `\n${missed} ${missed === 1 ? "limit is" : "limits are"} missed.`);
process.exit(missed === 0 ? 0 : 1);

/** Undefined where nothing is demanded. */
function holds({ measured, atLeast, atMost }) {
  if (atLeast === undefined && atMost === undefined) return undefined;
  return (atLeast === undefined || measured >= atLeast) && (atMost === undefined || measured <= atMost);
}

function demanded({ atLeast, atMost }) {
  if (atLeast !== undefined) return `≥ ${atLeast}`;
  return atMost === undefined ? "informative" : `≤ ${atMost}`;
}

/** @returns {Promise<import("./run-one.mjs").BenchResult & { busyElsewhere: number }>} */
function runApart(name) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("run-one.mjs", folder)), [name, JSON.stringify(options)]);
    let result;
    child.on("message", (message) => {
      result = message;
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`The bench ${name} ended with exit code ${code} and without a result.`));
    });
  });
}

function machine() {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    openssl: process.versions.openssl,
  };
}
