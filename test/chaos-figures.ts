import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Whether this is `npm run test:chaos`, which runs the tests of crashes in full size. */
export const isFullChaos = process.env.CHAOS === "full";

/** Keeps what a test of crashes counted, where `npm run test:chaos` looks for it; else does nothing. */
export function keepFigures(name: string, figures: Readonly<Record<string, unknown>>): void {
  const directory = process.env.CHAOS_RESULTS;
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.json`), JSON.stringify(figures));
}
