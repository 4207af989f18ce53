import { isDiscordConnectorError, type RegisteredCommands } from "@hookline/connector-discord";
import type { Logger } from "@hookline/core";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Registers the commands beside everything else and tries again until Discord takes them, so that the API serves
 * while Discord is down. A token that is refused is logged with what to do; trying again would not change it.
 */
export function createCommandRegistration(options: { register: () => Promise<RegisteredCommands>; logger: Logger }) {
  const { register, logger } = options;
  const stopped = new AbortController();
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !stopped.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        logger.info(await register(), "the Discord commands are registered");
        return;
      } catch (error) {
        const status = isDiscordConnectorError(error) ? error.status : undefined;
        if (status === 401 || status === 403) {
          logger.error(
            { err: error },
            "Discord refuses to register the commands: check DISCORD_BOT_TOKEN and DISCORD_GUILD_ID",
          );
          return;
        }
        logger.warn({ err: error, pauseMs }, "the Discord commands are not registered yet");
        await pause(pauseMs, stopped.signal);
      }
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
