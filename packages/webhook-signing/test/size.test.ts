import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

async function bundledBytes(entry: string, names = "*"): Promise<number> {
  const contents = names === "*" ? `export * from "./dist/${entry}";` : `export { ${names} } from "./dist/${entry}";`;
  const built = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    external: ["node:crypto", "crypto"],
    write: false,
    logLevel: "error",
  });
  return gzipSync(built.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

it.each(["index.js", "web.js"])("all of %s is under 5,000 bytes, minified and gzipped", async (entry) => {
  const bytes = await bundledBytes(entry);
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(5_000);
});

it("a bundle pays only for what it imports", async () => {
  expect(await bundledBytes("index.js", "verify, github")).toBeLessThan((await bundledBytes("index.js")) * 0.85);
  expect(await bundledBytes("index.js", "generateSecret")).toBeLessThan(250);
  expect(await bundledBytes("index.js", "standardWebhooks")).toBeLessThan(600);
});

it("has no runtime dependency", async () => {
  const manifest = JSON.parse(await readFile(`${root}/package.json`, "utf8")) as Record<string, unknown>;
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies"])
    expect(manifest[kind]).toBeUndefined();
});
