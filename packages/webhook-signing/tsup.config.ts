import { defineConfig } from "tsup";
import { libraryBuild } from "../../tsup.base.js";

export default defineConfig({
  ...libraryBuild,
  entry: {
    index: "src/index.ts",
    web: "src/web/index.ts",
    "drop-in": "src/drop-in.ts",
    node: "src/node/index.ts",
    "fetch-node": "src/fetch/node.ts",
    "fetch-web": "src/fetch/web.ts",
  },
});
