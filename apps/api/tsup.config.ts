import { defineConfig } from "tsup";
import { programBuild } from "../../tsup.base.js";

export default defineConfig({
  ...programBuild,
  entry: { main: "src/main.ts", "setup-webhook": "src/setup-webhook.ts" },
});
