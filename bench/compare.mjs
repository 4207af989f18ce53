// Runs contestants against each other in one process, in turn and in rounds of milliseconds, so that whatever else the
// machine does hits all of them alike. A block is many such rounds; within it a contestant's figure is its first decile,
// which are the rounds that nothing interrupted. Ratios are taken within a block, and the median of the blocks counts.
//
// With `clock: "cpu"` a round costs the CPU time of the whole process, and the median round counts: for contestants that
// hand work to other threads, whose waiting depends on what these cores do just now.

/**
 * @typedef {object} Compared
 * @property {Record<string, number>} nsPerCall median of the blocks, for each contestant
 * @property {(name: string, base: string) => number} speed how many times as fast as the base: median of the blocks
 */

/**
 * @param {Record<string, () => unknown>} contestants each one call; may be asynchronous
 * @param {{ clock?: "wall" | "cpu", blocks?: number, rounds?: number, roundMs?: number }} [options]
 * @returns {Promise<Compared>}
 */
export async function compare(contestants, { clock = "wall", blocks = 5, rounds = 50, roundMs = 2 } = {}) {
  const now = clock === "cpu" ? cpuNanoseconds : wallNanoseconds;
  const entries = [];
  for (const [name, call] of Object.entries(contestants)) entries.push(await prepare(name, call, roundMs));
  const figures = Object.fromEntries(entries.map(({ name }) => [name, []]));
  for (let block = 0; block < blocks; block++) {
    const samples = Object.fromEntries(entries.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      // Nobody always comes after the same one: what a contestant leaves behind (garbage, warm caches) costs the next.
      for (const { name, call, run, calls } of shuffled(entries)) {
        const started = now();
        await run(call, calls);
        samples[name].push((now() - started) / calls);
      }
    }
    for (const { name } of entries) figures[name].push(quantile(samples[name], clock === "cpu" ? 0.5 : 0.1));
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
  const warmUntil = performance.now() + 150;
  let fastest = Number.POSITIVE_INFINITY;
  while (performance.now() < warmUntil) {
    const started = wallNanoseconds();
    await run(call, 50);
    fastest = Math.min(fastest, (wallNanoseconds() - started) / 50);
  }
  return { name, call, run, calls: Math.max(5, Math.round((roundMs * 1e6) / fastest)) };
}

function runSynchronous(call, calls) {
  for (let i = 0; i < calls; i++) call();
}

async function runAsynchronous(call, calls) {
  for (let i = 0; i < calls; i++) await call();
}

function wallNanoseconds() {
  return performance.now() * 1e6;
}

function cpuNanoseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
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
