import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

const index = { index: "src/index.ts" };

export default defineConfig([
  { ...libraryBuild, format: ["esm"], entry: { ...index, bin: "src/bin.ts" }, dts: { entry: index } },
  { ...libraryBuild, format: ["cjs"], entry: index, clean: false },
]);
