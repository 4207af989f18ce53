import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    globalSetup: ["test/provide-postgres.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // No module keeps state, so the files of one worker can share what they import.
    isolate: false,
    // PGlite is WebAssembly: to optimise its code costs more than such short runs win back.
    execArgv: ["--liftoff-only"],
  },
});
