// Lint, types, unused code, and what the packed packages would look like to their users.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const shell = process.platform === "win32";
const tarballs = mkdtempSync(join(tmpdir(), "hookline-check-"));

/** Runs a program of the root's devDependencies; answers whether it passed, and all that it said. */
async function tool(name, ...args) {
  const child = spawn(`${root}node_modules/.bin/${name}`, args, { cwd: root, shell });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { passed: code === 0, output };
}

/** Packs all published packages at once; answers the packages' names and tarballs. */
function packPublished() {
  const manifests = readdirSync(`${root}packages`)
    .filter((name) => existsSync(`${root}packages/${name}/package.json`))
    .map((name) => ({
      folder: `./packages/${name}`,
      ...JSON.parse(readFileSync(`${root}packages/${name}/package.json`)),
    }))
    .filter((manifest) => !manifest.private);
  const folders = manifests.map(({ folder }) => folder);
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", tarballs, ...folders], {
    cwd: root,
    shell,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return manifests.map(({ name, version }) => {
    return { name, tarball: join(tarballs, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`) };
  });
}

const published = packPublished();
const checks = [
  // One program for the whole repository: what the packages share is read and checked once.
  ["types", () => tool("tsc", "-p", "tsconfig.json")],
  ["lint", () => tool("biome", "ci", "--error-on-warnings", ".")],
  ["unused code (knip)", () => tool("knip")],
  ...published.flatMap(({ name, tarball }) => [
    [`publint ${name}`, () => tool("publint", "run", "--strict", tarball)],
    // node10 is left out: that resolution ended with Node 12 and knows no `exports`.
    [
      `types as packed (attw) ${name}`,
      () => tool("attw", tarball, "--profile", "node16", "--format", "ascii", "--quiet"),
    ],
  ]),
];

let failed = 0;
const waiting = checks.values();
async function lane() {
  for (const [title, run] of waiting) {
    const started = performance.now();
    const { passed, output } = await run();
    if (!passed) {
      failed += 1;
      process.stdout.write(output);
    }
    console.log(`${passed ? "✓" : "✗"} ${title}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, lane));
rmSync(tarballs, { recursive: true });
process.exit(failed === 0 ? 0 : 1);
