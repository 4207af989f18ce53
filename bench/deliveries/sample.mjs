// Helps to judge samples.

export function median(values) {
  return percentile(values, 0.5);
}

/** @param {number} share 0 to 1; the smallest value that this share of the others does not exceed */
export function percentile(values, share) {
  if (values.length === 0) throw new Error("There are no samples.");
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** In random order, so that nobody always comes after the same one. */
export function shuffled(entries) {
  return entries
    .map((entry) => ({ entry, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ entry }) => entry);
}

export function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls until `check` answers true; throws with what was waited for when that takes too long. */
export async function until(check, { what, timeoutMs = 60_000, everyMs = 20 }) {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
    await delay(everyMs);
  }
}
