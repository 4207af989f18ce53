// Runs one bench in this process and sends its result to the parent: run.mjs starts it.

/**
 * What the default export of a `*.bench.mjs` answers.
 *
 * @typedef {object} BenchResult
 * @property {readonly { what: string, measured: number, atLeast?: number, atMost?: number }[]} checks
 * @property {Record<string, readonly object[]>} [figures] tables to print, by title
 * @property {Record<string, string>} [versions] of what was measured against
 */

const { default: bench } = await import(`./${process.argv[2]}.bench.mjs`);
process.send(await bench(), () => process.exit(0));
