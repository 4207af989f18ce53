import { isDiscordConnectorError } from "@hookline/connector-discord";
import type { Logger } from "@hookline/core";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Registers commands and fields at Discord beside everything else, and tries again until Discord takes them, so that
 * the API serves while Discord is down. A token that is refused is logged with what to do; trying again would not
 * change it.
 */
export function createRegistration({ logger }: { readonly logger: Logger }) {
  const stopped = new AbortController();
  const running = new Map<string, Promise<void>>();

  async function run(what: string, register: () => Promise<object>): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !stopped.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        logger.info({ what, ...(await register()) }, "registered at Discord");
        return;
      } catch (error) {
        const status = isDiscordConnectorError(error) ? error.status : undefined;
        if (status === 401 || status === 403) {
          logger.error(
            { what, err: error },
            "Discord refuses a registration: check DISCORD_BOT_TOKEN, and that the bot is in the server",
          );
          return;
        }
        logger.warn({ what, err: error, pauseMs }, "not registered at Discord yet");
        await pause(pauseMs, stopped.signal);
      }
    }
  }

  return {
    /** One at a time for each thing. */
    start(what: string, register: () => Promise<object>) {
      running.set(
        what,
        (running.get(what) ?? Promise.resolve()).then(() => run(what, register)),
      );
    },
    async stop() {
      stopped.abort();
      await Promise.all(running.values());
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
