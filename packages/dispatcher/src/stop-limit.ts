import type { Clock, Logger } from "@hookline/core";
import { withinLimit } from "./within-limit.js";

/** What `stop` takes at most beyond the time that it leaves to attempts: to write down what came of them. */
const STOP_GRACE_MS = 2_000;

/** The time that stopping a worker may take. */
export interface StopLimit {
  readonly signal: AbortSignal;
  /** Waits for one step, but no longer than the limit; never rejects. */
  step(what: string, work: () => Promise<unknown>): Promise<void>;
  end(): void;
}

/** Calls `interrupt` when the time of the attempts in flight is over, and gives up soon after that. */
export function createStopLimit(
  { clock, logger, stopTimeoutMs }: { readonly clock: Clock; readonly logger: Logger; readonly stopTimeoutMs: number },
  interrupt: () => void,
): StopLimit {
  const limit = new AbortController();
  const cancels = [
    clock.setTimer(interrupt, stopTimeoutMs),
    clock.setTimer(() => limit.abort(), stopTimeoutMs + STOP_GRACE_MS),
  ];
  return {
    signal: limit.signal,
    step: (what, work) =>
      withinLimit(work, limit.signal).catch((error: unknown) =>
        logger.error({ err: error }, `stopping goes on although ${what}`),
      ),
    end() {
      for (const cancel of cancels) cancel();
    },
  };
}
