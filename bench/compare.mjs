// Runs contestants against each other in one process: a round runs each of them for some milliseconds, in random order,
// so whatever else the machine does hits all of them alike. What counts is the plain median of all rounds, nothing is
// left out. A ratio is taken within each round, of what ran side by side, before the median is.
//
// Each round is timed by two clocks: wall-clock time, and the CPU time of the whole process with all its threads.

/**
 * @typedef {"wall" | "cpu"} Clock
 * @typedef {object} Compared
 * @property {readonly string[]} names the contestants
 * @property {(name: string, clock?: Clock) => number} nsPerCall median of the rounds
 * @property {(name: string, base: string, clock?: Clock) => number} speed how many times as fast as the base: median of
 *   the ratios within a round
 */

/**
 * @param {Record<string, () => unknown>} contestants each one call; may be asynchronous
 * @param {{ rounds?: number, roundMs?: number }} [options] roundMs is what each contestant gets of a round
 * @returns {Promise<Compared>}
 */
export async function compare(contestants, { rounds = 250, roundMs = 2 } = {}) {
  const entries = [];
  for (const [name, call] of Object.entries(contestants)) entries.push(await prepare(name, call, roundMs));
  const samples = Object.fromEntries(entries.map(({ name }) => [name, { wall: [], cpu: [] }]));
  for (let round = 0; round < rounds; round++) {
    // Nobody always comes after the same one: what a contestant leaves behind (garbage, warm caches) costs the next.
    for (const { name, call, run, calls } of shuffled(entries)) {
      const cpuStarted = cpuNanoseconds();
      const started = wallNanoseconds();
      await run(call, calls);
      samples[name].wall.push((wallNanoseconds() - started) / calls);
      samples[name].cpu.push((cpuNanoseconds() - cpuStarted) / calls);
    }
  }
  return {
    names: Object.keys(contestants),
    nsPerCall: (name, clock = "wall") => median(samples[name][clock]),
    speed: (name, base, clock = "wall") =>
      median(samples[base][clock].map((ns, round) => ns / samples[name][clock][round])),
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

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
