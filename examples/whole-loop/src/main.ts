// `npm start`: the whole loop on this machine. With `--once` it plays the loop and exits; 0 only if all was seen.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { play } from "./play.js";
import { startWithDiscord } from "./real-discord.js";
import { createReport } from "./report.js";
import { startWorld } from "./world.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const report = createReport((line) => console.log(line));

const { values } = parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean" } } });
if (values.help) {
  console.log("npm start              play the loop, then leave everything running");
  console.log("npm start -- --once    play the loop and exit: 0 only if each step was seen");
  process.exit(0);
}

const envFile = join(root, ".env");
if (existsSync(envFile)) process.loadEnvFile(envFile);

const directory = values.once ? mkdtempSync(join(tmpdir(), "hookline-")) : join(root, ".hookline");
try {
  if (process.env.DISCORD_BOT_TOKEN && !values.once) await startWithDiscord({ report, directory, root });
  else await showLoop();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  if (error instanceof Error && error.cause instanceof Error) console.error(`  ${error.cause.message}`);
  console.error(`The logs are in ${join(directory, "logs")}.`);
  process.exit(1);
}

async function showLoop(): Promise<void> {
  const started = performance.now();
  report.title("Hookline: the whole loop on this machine");
  const world = await startWorld({ report, directory, usualPorts: !values.once });
  const stopAndExit = async (code: number) => {
    await world.processes.stop();
    process.exit(code);
  };
  process.once("SIGINT", () => stopAndExit(0));
  process.once("SIGTERM", () => stopAndExit(0));
  const failed = new Promise<never>((_, reject) => world.processes.onUnexpectedExit(reject));

  try {
    await Promise.race([play(world.stage), failed]);
    report.title(`Every step was seen, ${((performance.now() - started) / 1000).toFixed(1)} s in all.`);
    if (values.once) {
      await world.processes.stop();
      rmSync(directory, { recursive: true, force: true });
      return;
    }
    report.title("Everything is still running. Look around:");
    report.addresses(world.addresses);
    report.note("Ctrl+C stops it. Data, secrets and logs are in .hookline; delete the folder to begin anew.");
    await failed;
  } catch (error) {
    await world.processes.stop();
    throw error;
  }
}
