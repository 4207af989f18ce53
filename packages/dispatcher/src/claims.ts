import type { Clock, Logger } from "@hookline/core";
import type { Line } from "./line.js";
import type { ClaimedRow, ClaimParams } from "./sql/claim-deliveries.js";

/** The claims of what is due, one after another, and when the next one comes. */
export interface Claims {
  start(): void;
  /** Claims now, and again until nothing is left or there is no room. */
  wake(): void;
  /** Claims at that time, unless it does so before. */
  wakeAt(atMs: number): void;
  /** There may be room now. */
  noteRoom(): void;
  end(): void;
  /** There was no room for more than was claimed. */
  readonly isHungry: boolean;
  /** When the queue was last read successfully. */
  readonly lastReadAtMs: number;
}

/** Between polls that find something due which another worker is just taking. */
const BREATH_MS = 5;
/** How long claims wait for endpoints that are ahead: what waits behind them in line must not wait much longer. */
const PATIENCE_MS = 50;

export function createClaims(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollMs: number;
  readonly line: Line;
  /** How many may be claimed now. */
  readonly room: () => number;
  /** Whether to claim more now would only be more than can be taken in. */
  readonly isAhead: () => boolean;
  readonly paramsOf: (limit: number) => ClaimParams & { readonly nowMs: number; readonly leasedUntilMs: number };
  readonly take: (rows: readonly ClaimedRow[], leasedUntilMs: number) => void;
  /** Runs what nobody waits for. */
  readonly inBackground: (work: Promise<void>) => void;
}): Claims {
  const { clock, logger, line, pollMs, inBackground } = options;
  let ended = false;
  let claiming: Promise<void> | null = null;
  let claimAgain = false;
  let isHungry = true;
  let lastReadAtMs = clock.now();
  let cancelTimer: () => void = () => {};
  let timerAtMs = Number.POSITIVE_INFINITY;
  let goOn: (() => void) | null = null;

  const untilTaken = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.setTimer(() => goOn?.(), PATIENCE_MS);
      goOn = () => {
        goOn = null;
        cancel();
        resolve();
      };
    });

  const claimOnce = async (): Promise<void> => {
    if (!ended && options.isAhead()) await untilTaken();
    claimAgain = false;
    const limit = options.room();
    isHungry = limit <= 0;
    if (isHungry || ended) return;
    const params = options.paramsOf(limit);
    const { rows, chosen } = await line.claim(params);
    lastReadAtMs = clock.now();
    options.take(rows, params.leasedUntilMs);
    if (chosen === limit) claimAgain = true;
  };

  const claimAll = async (): Promise<void> => {
    try {
      do await claimOnce();
      while (claimAgain);
    } catch (error) {
      logger.error({ err: error }, "the queue could not be read");
    } finally {
      // In the same step as the last look at `claimAgain`: whoever asks later begins anew.
      claiming = null;
    }
  };

  const claim = (): Promise<void> => {
    claimAgain = true;
    claiming ??= claimAll();
    return claiming;
  };

  const nextDueMs = async (): Promise<number | null> => {
    try {
      const nextMs = await line.nextDueMs(pollMs);
      // Where there is room it is the claim that has to succeed.
      if (isHungry) lastReadAtMs = clock.now();
      return nextMs;
    } catch (error) {
      logger.error({ err: error }, "the queue could not be read");
      return null;
    }
  };

  /** Claims, and comes back when the next delivery is due, at the latest after `pollMs`. */
  const poll = async (): Promise<void> => {
    timerAtMs = Number.POSITIVE_INFINITY;
    const lookedAtMs = clock.now();
    await claim();
    let nextMs = await nextDueMs();
    if ((nextMs !== null && nextMs <= clock.now()) || clock.now() >= lookedAtMs + pollMs) {
      // It came due during the claim, or what was asked for is over.
      await claim();
      nextMs = await nextDueMs();
    }
    const latestMs = clock.now() + pollMs;
    wakeAt(nextMs === null || isHungry ? latestMs : Math.min(latestMs, Math.max(nextMs, clock.now() + BREATH_MS)));
  };

  function wakeAt(atMs: number): void {
    if (ended || atMs >= timerAtMs) return;
    cancelTimer();
    timerAtMs = atMs;
    cancelTimer = clock.setTimer(() => inBackground(poll()), Math.max(0, atMs - clock.now()));
  }

  return {
    start: () => inBackground(poll()),
    wake() {
      if (!ended) inBackground(claim());
    },
    wakeAt,
    noteRoom() {
      if (goOn !== null && !options.isAhead()) goOn();
    },
    end() {
      ended = true;
      cancelTimer();
      goOn?.();
    },
    get isHungry() {
      return isHungry;
    },
    get lastReadAtMs() {
      return lastReadAtMs;
    },
  };
}
