// Runs contestants against each other in short rounds, in turn, so that a busy machine slows all of them alike.

/**
 * @typedef {object} Compared
 * @property {Record<string, number>} nsPerCall median of the rounds, for each contestant
 * @property {(name: string, base: string) => number} speed how many times as fast as the base: median of the rounds' ratios
 */

/**
 * @param {Record<string, () => unknown>} contestants each one call; may be asynchronous
 * @param {{ rounds?: number, roundMs?: number }} [options]
 * @returns {Promise<Compared>}
 */
export async function compare(contestants, { rounds = 41, roundMs = 10 } = {}) {
  const entries = [];
  for (const [name, call] of Object.entries(contestants)) {
    const asynchronous = call() instanceof Promise;
    const run = asynchronous ? runAsynchronous : runSynchronous;
    await run(call, 200);
    const calls = Math.max(5, Math.round((roundMs * 1e6) / ((await run(call, 200)) / 200)));
    await run(call, calls);
    entries.push({ name, call, run, calls, samples: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(turn + round) % entries.length];
      entry.samples.push((await entry.run(entry.call, entry.calls)) / entry.calls);
    }
  }
  const samples = Object.fromEntries(entries.map((entry) => [entry.name, entry.samples]));
  return {
    nsPerCall: Object.fromEntries(entries.map((entry) => [entry.name, median(entry.samples)])),
    speed: (name, base) => median(samples[base].map((ns, round) => ns / samples[name][round])),
  };
}

function runSynchronous(call, calls) {
  const started = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call();
  return Number(process.hrtime.bigint() - started);
}

async function runAsynchronous(call, calls) {
  const started = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) await call();
  return Number(process.hrtime.bigint() - started);
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
