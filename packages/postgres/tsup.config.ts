import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

const faces = { index: "src/index.ts", testing: "src/testing.ts" };

export default defineConfig({
  ...libraryBuild,
  // The thread's file is found by its name beside the others and has no types: nobody imports it.
  entry: { ...faces, "pglite-worker": "src/pglite-worker.ts" },
  dts: { entry: faces },
});
