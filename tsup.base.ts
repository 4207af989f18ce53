import type { Options } from "tsup";

/** What every published package builds: ESM with CommonJS beside it, types for both. */
export const libraryBuild = {
  format: ["esm", "cjs"],
  target: "node20",
  platform: "node",
  dts: true,
  clean: true,
  sourcemap: true,
  splitting: true,
  shims: true,
  treeshake: true,
} as const satisfies Options;

/** What an app or an example builds: one ESM program, no types. */
export const programBuild = {
  format: ["esm"],
  target: "node20",
  platform: "node",
  clean: true,
  sourcemap: true,
} as const satisfies Options;
