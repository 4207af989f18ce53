import type { Logger } from "@hookline/core";
import type { Engine } from "@hookline/engine";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the app looks after at start and once a day: secrets that are due for rotation, and erasures that were broken off. */
export function createUpkeep({ engine, logger }: { readonly engine: Engine; readonly logger: Logger }) {
  let timer: ReturnType<typeof setInterval> | null = null;
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      for (const { kind, id } of await engine.notices.publishRotationDue()) {
        logger.warn({ kind, id }, "a secret is due for rotation");
      }
      await engine.contacts.resumeErasures();
    } catch (error) {
      logger.error({ err: error }, "the daily upkeep failed, trying again tomorrow");
    }
  }

  return {
    start() {
      running = look();
      timer = setInterval(() => {
        running = running.then(look);
      }, DAY_MS);
      timer.unref();
    },
    async stop() {
      if (timer) clearInterval(timer);
      await running;
    },
  };
}
