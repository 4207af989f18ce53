import { AsyncResource } from "node:async_hooks";
import type { Clock, Logger } from "@hookline/core";

/** One kind of work beside the deliveries. */
export interface UpkeepTask {
  /** For the log. */
  readonly what: string;
  readonly everyMs: number;
  /** One small step; true when there is more to do right now. */
  step(): Promise<boolean>;
}

export interface Upkeep {
  /** Looks for work now. */
  wake(): void;
  /** Begins no more steps, and waits so long for the one that runs. */
  stop(limitMs: number): Promise<void>;
}

/** Runs work of low priority step by step beside the delivery loop, each task on a turn of its own. */
export function startUpkeep(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tasks: readonly UpkeepTask[];
}): Upkeep {
  const { clock, logger, tasks } = options;
  // Whoever wakes it from inside a transaction must not pull it into that transaction.
  const scope = new AsyncResource("hookline.upkeep");
  let stopped = false;
  const turns = tasks.map((task) => startTurns(task));

  function startTurns({ what, everyMs, step }: UpkeepTask) {
    let running: Promise<void> | null = null;
    let again = false;
    let cancelTimer: () => void = () => {};

    const turn = async (): Promise<void> => {
      do {
        again = false;
        while (!stopped && (await step()));
      } while (again && !stopped);
    };
    const run = (): void => {
      again = true;
      if (running !== null || stopped) return;
      cancelTimer();
      running = turn()
        .catch((error: unknown) => logger.error({ err: error }, `${what} failed; it is tried again later`))
        .finally(() => {
          running = null;
          if (!stopped) cancelTimer = clock.setTimer(run, everyMs);
        });
    };
    run();
    return {
      run,
      async stop() {
        cancelTimer();
        await running;
      },
    };
  }

  return {
    wake: () =>
      scope.runInAsyncScope(() => {
        for (const { run } of turns) run();
      }),
    async stop(limitMs) {
      stopped = true;
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.setTimer(resolve, limitMs);
        Promise.all(turns.map((turn) => turn.stop()))
          .then(() => resolve(), reject)
          .finally(cancel);
      });
      scope.emitDestroy();
    },
  };
}
