// `npm start`: the whole loop on this machine. With `--once` it plays the loop and exits; 0 only if all was seen.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { play } from "./play.js";
import { startWithDiscord } from "./real-discord.js";
import { createReport } from "./report.js";
import { startWorld } from "./world.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const report = createReport((line) => console.log(line));

const { values: args } = parseArgs({
  options: { once: { type: "boolean" }, directory: { type: "string" }, help: { type: "boolean" } },
});
if (args.help) {
  console.log("npm start                          play the loop, then leave everything running");
  console.log("npm start -- --once                play the loop and exit: 0 only if each step was seen");
  console.log("npm start -- --directory FOLDER    keep data, secrets and logs there instead of in .hookline");
  process.exit(0);
}

// The simulated world must never see a real database or token: only the real path reads `.env`.
const envFile = join(root, ".env");
const settings = { ...(existsSync(envFile) ? parseEnv(readFileSync(envFile, "utf8")) : {}), ...process.env };
const real = Boolean(settings.DISCORD_BOT_TOKEN) && !args.once;

const temporary = args.once && !args.directory ? mkdtempSync(join(tmpdir(), "hookline-")) : null;
const kept = resolve(args.directory ?? join(root, ".hookline"));
const directory = temporary ?? join(kept, real ? "discord" : "demo");
try {
  if (real) await startWithDiscord({ report, directory, settings });
  else await showLoop();
} catch (error) {
  const { code } = error as { code?: unknown };
  console.error(`\n${typeof code === "string" ? `(${code}) ` : ""}${error instanceof Error ? error.message : error}`);
  if (error instanceof Error && error.cause instanceof Error) console.error(`  ${error.cause.message}`);
  console.error(`The logs are in ${join(directory, "logs")}.`);
  process.exit(1);
}

async function showLoop(): Promise<void> {
  const started = performance.now();
  report.title("Hookline: the whole loop on this machine");
  const world = await startWorld({ report, directory, usualPorts: !args.once });
  const stopAndExit = async () => {
    await world.processes.stop();
    process.exit(0);
  };
  process.once("SIGINT", stopAndExit);
  process.once("SIGTERM", stopAndExit);
  const failed = new Promise<never>((_, reject) => world.processes.onUnexpectedExit(reject));

  try {
    await Promise.race([play(world.stage), failed]);
    report.title(`Every step was seen, ${((performance.now() - started) / 1000).toFixed(1)} s in all.`);
    if (args.once) {
      await world.processes.stop();
      if (temporary) rmSync(temporary, { recursive: true, force: true });
      return;
    }
    report.title("Everything is still running. Look around:");
    await world.openStartPage();
    report.addresses(world.addresses);
    report.title("Try OAuth in your browser, against the simulated Discord:");
    report.addresses(world.tries);
    report.note(`Ctrl+C stops it. Data, secrets and logs are in ${directory}; delete the folder to begin anew.`);
    await failed;
  } catch (error) {
    await world.processes.stop();
    throw error;
  }
}
