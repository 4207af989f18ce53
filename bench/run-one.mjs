// Runs one bench in this process and sends its result to the parent: run.mjs starts it.
import { cpus } from "node:os";
import { treeCpuMs } from "./deliveries/process-tree.mjs";

/**
 * What the default export of a `*.bench.mjs` takes.
 *
 * @typedef {object} BenchOptions
 * @property {boolean} quick as small as it can be and still run every part
 * @property {readonly string[]} only which parts of it; none: all
 *
 * What the default export of a `*.bench.mjs` answers.
 *
 * @typedef {object} BenchResult
 * @property {readonly { what: string, measured: number, atLeast?: number, atMost?: number }[]} checks
 *   without a limit: informative
 * @property {Record<string, readonly object[]>} [figures] tables to print, by title
 * @property {Record<string, string>} [versions] of what was measured against
 *
 * What is sent has `busyElsewhere` too: the share of all cores that other processes took meanwhile, 0 to 1.
 */

const { default: bench } = await import(`./${process.argv[2]}.bench.mjs`);
const [before, ownBefore] = [machineMs(), ownMs()];
const result = await bench(JSON.parse(process.argv[3]));
const [after, own] = [machineMs(), ownMs() - ownBefore];
const busyElsewhere = Math.max(0, (after.busy - before.busy - own) / (after.all - before.all));
process.send({ ...result, busyElsewhere }, () => process.exit(0));

function machineMs() {
  const times = cpus().map((core) => core.times);
  const idle = times.reduce((sum, core) => sum + core.idle, 0);
  const all = times.reduce((sum, { user, nice, sys, irq, idle }) => sum + user + nice + sys + irq + idle, 0);
  return { busy: all - idle, all };
}

/** Of this process and all that it started. */
function ownMs() {
  const tree = treeCpuMs(process.pid);
  if (tree !== undefined) return tree;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
