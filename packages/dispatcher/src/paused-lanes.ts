import type { Clock } from "@hookline/core";
import { type Job, laneOf } from "./job.js";
import type { Bucket } from "./rate-gate.js";
import type { Throttle } from "./throttle.js";

/** Lanes whose rate limit is used up, or that have to let others go first. Nothing of them waits in memory: it waits in the queue until there are tokens. */
export interface PausedLanes {
  isPaused(lane: string): boolean;
  /** When a direct send of a paused lane comes back: each at the time of its own token. */
  nextAtMs(lane: string): number;
  pause(job: Job, buckets: readonly Bucket[], untilMs: number): void;
  /**
   * How many of `wanted` may be taken out of the queue for a lane now. Their tokens are kept for them. 0 pauses it again.
   */
  reserve(lane: string, wanted: number): number | Promise<number>;
  /** Nothing of it waits in the queue any more. */
  forget(lane: string): void;
  /** No timers any more. */
  end(): void;
}

interface Limited {
  readonly buckets: readonly Bucket[];
  untilMs: number;
  /** Direct sends that were put off since. */
  putOff: number;
  cancelTimer: () => void;
}

export function createPausedLanes(options: {
  readonly clock: Clock;
  readonly throttle: Throttle;
  /** There may be tokens again. */
  readonly onResume: (lane: string) => void;
}): PausedLanes {
  const { clock, throttle, onResume } = options;
  const limited = new Map<string, Limited>();

  const isPaused = (lane: string): boolean => {
    const known = limited.get(lane);
    return known !== undefined && clock.now() < known.untilMs;
  };

  const pause = (lane: string, buckets: readonly Bucket[], untilMs: number): void => {
    limited.get(lane)?.cancelTimer();
    const cancelTimer = clock.setTimer(() => onResume(lane), Math.max(1, untilMs - clock.now()));
    limited.set(lane, { buckets, untilMs, putOff: 0, cancelTimer });
  };

  const reserve = async (lane: string, { buckets }: Limited, wanted: number): Promise<number> => {
    // Lanes that share a tenant's limit take little at a time, so that each gets some.
    const share = buckets.some(({ key }) => key.startsWith("tenant ")) ? Math.ceil(wanted / limited.size) : wanted;
    const { granted, nextAtMs } = await throttle.take(buckets, share);
    if (granted === 0) pause(lane, buckets, nextAtMs);
    else throttle.putBack(buckets, granted);
    return granted;
  };

  return {
    isPaused,
    nextAtMs(lane) {
      const known = limited.get(lane);
      if (known === undefined) return clock.now();
      const eachMs = Math.max(0, ...known.buckets.map(({ perMs, count }) => perMs / count));
      const atMs = known.untilMs + known.putOff * eachMs;
      known.putOff += 1;
      return Math.ceil(atMs);
    },
    pause: (job, buckets, untilMs) => {
      if (!isPaused(laneOf(job))) pause(laneOf(job), buckets, untilMs);
    },
    reserve(lane, wanted) {
      const known = limited.get(lane);
      return known === undefined ? wanted : reserve(lane, known, wanted);
    },
    forget(lane) {
      const known = limited.get(lane);
      if (known === undefined || clock.now() < known.untilMs) return;
      limited.delete(lane);
    },
    end() {
      for (const { cancelTimer } of limited.values()) cancelTimer();
      limited.clear();
    },
  };
}
