import { defineConfig } from "tsup";
import { programBuild } from "../../tsup.base.js";

export default defineConfig({ ...programBuild, entry: { before: "src/before.ts", after: "src/after.ts" } });
