import type { Clock, Logger } from "@hookline/core";
import type { Worker } from "./worker.js";

const LOOK_MS = 1_000;
/** Of this process's own time: a clock that leaps makes any worker look stalled for a moment. */
const CONFIRM_MS = 500;

/** Has the log say that a worker does not work any more, within seconds, and that it works again. */
export function watchStalls({
  clock,
  logger,
  worker,
}: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly worker: Pick<Worker, "isStalled" | "lastReadAtMs">;
}): { stop(): void } {
  let isTold = false;
  let seenSinceMs: number | null = null;
  let isStopped = false;
  let cancelTimer: () => void = () => {};

  const look = (): void => {
    const { isStalled, lastReadAtMs } = worker;
    const lastReadAt = new Date(lastReadAtMs);
    if (!isStalled) {
      if (isTold) logger.info({ lastReadAt }, "the delivery loop works again");
      isTold = false;
      seenSinceMs = null;
    } else if (seenSinceMs === null) {
      seenSinceMs = performance.now();
    } else if (!isTold && performance.now() - seenSinceMs >= CONFIRM_MS) {
      logger.error({ lastReadAt }, "the delivery loop is stalled: the queue is not read, or outcomes are not written");
      isTold = true;
    }
    // Once for each leap.
    setImmediate(arm);
  };

  const arm = (): void => {
    if (!isStopped) cancelTimer = clock.setTimer(look, LOOK_MS);
  };

  arm();
  return {
    stop() {
      isStopped = true;
      cancelTimer();
    },
  };
}
