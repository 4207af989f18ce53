// Runs contestants against each other in one process, in turn and in rounds of milliseconds, so that whatever else the
// machine does hits all of them alike. A block is many such rounds; within it a contestant's figure is its first decile,
// which are the rounds that nothing interrupted. Ratios are taken within a block, and the median of the blocks counts.

/**
 * @typedef {object} Compared
 * @property {Record<string, number>} nsPerCall median of the blocks, for each contestant
 * @property {(name: string, base: string) => number} speed how many times as fast as the base: median of the blocks
 */

/**
 * @param {Record<string, () => unknown>} contestants each one call; may be asynchronous
 * @param {{ blocks?: number, rounds?: number, roundMs?: number }} [options]
 * @returns {Promise<Compared>}
 */
export async function compare(contestants, { blocks = 5, rounds = 50, roundMs = 2 } = {}) {
  const entries = [];
  for (const [name, call] of Object.entries(contestants)) entries.push(await prepare(name, call, roundMs));
  const figures = Object.fromEntries(entries.map(({ name }) => [name, []]));
  for (let block = 0; block < blocks; block++) {
    const samples = Object.fromEntries(entries.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      // Nobody always comes after the same one: what a contestant leaves behind (garbage, warm caches) costs the next.
      for (const { name, call, run, calls } of shuffled(entries)) {
        samples[name].push((await run(call, calls)) / calls);
      }
    }
    for (const { name } of entries) figures[name].push(quantile(samples[name], 0.1));
  }
  return {
    nsPerCall: Object.fromEntries(entries.map(({ name }) => [name, quantile(figures[name], 0.5)])),
    speed: (name, base) =>
      quantile(
        figures[base].map((ns, block) => ns / figures[name][block]),
        0.5,
      ),
  };
}

/** Lets the compiler see the call often enough, and finds how many calls make a round. */
async function prepare(name, call, roundMs) {
  const run = call() instanceof Promise ? runAsynchronous : runSynchronous;
  const started = performance.now();
  let fastest = Number.POSITIVE_INFINITY;
  while (performance.now() - started < 150) fastest = Math.min(fastest, (await run(call, 50)) / 50);
  return { name, call, run, calls: Math.max(5, Math.round((roundMs * 1e6) / fastest)) };
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

function shuffled(entries) {
  return entries
    .map((entry) => ({ entry, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ entry }) => entry);
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)];
}
