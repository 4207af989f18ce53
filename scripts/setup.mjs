// Installs from the frozen lockfile and builds. Runs before `npm start`, `npm test`, `npm run check` and `npm run bench`.
import { pnpm } from "./pm.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Hookline needs Node 20.19 or later; this is ${process.versions.node}.`);
  process.exit(1);
}

step("Installing dependencies", [
  "install",
  "--frozen-lockfile",
  "--prefer-offline",
  "--reporter=append-only",
  "--loglevel=warn",
]);
step("Building", ["exec", "turbo", "run", "build", "--output-logs=errors-only", "--log-order=grouped"]);

function step(title, args) {
  const started = performance.now();
  console.log(`▸ ${title} …`);
  const code = pnpm(args);
  if (code !== 0) {
    console.error(`✗ ${title} failed (exit code ${code}).`);
    process.exit(code);
  }
  console.log(`✓ ${title}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
