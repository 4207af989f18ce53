import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

export default defineConfig({
  ...libraryBuild,
  entry: { index: "src/index.ts", "pglite-worker": "src/pglite-worker.ts" },
  dts: { entry: { index: "src/index.ts" } },
});
