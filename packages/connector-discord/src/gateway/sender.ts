import { setMaxListeners } from "node:events";
import type { Clock, Logger } from "@hookline/core";
import { INGRESS_LIMITS } from "../ingress-contract.js";
import { type BackoffBounds, backoffDelayMs } from "./backoff.js";
import { createBodyLimit } from "./body-limit.js";
import type { DeadLetter, DeadLetters } from "./dead-letters.js";
import { GatewayWorkerError } from "./errors.js";
import type { IngressClient, IngressOutcome } from "./ingress-client.js";
import { bytesOf, createLane, type Lane, takeBatch } from "./lane.js";
import type { Spool } from "./spool.js";
import type { SpooledItem } from "./spool-record.js";
import { createThrottle } from "./throttle.js";

export interface SenderOptions {
  readonly spool: Spool;
  readonly ingress: IngressClient;
  readonly deadLetters: DeadLetters;
  readonly backoff: BackoffBounds;
  readonly maxConcurrentRequests: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** What is to be done with a packet, where workers share shards. */
  readonly fateOf: (item: SpooledItem) => ItemFate;
  /** The API says that another worker holds the shard. */
  readonly onFenced: () => void;
  /** Called after packets have left the spool. */
  readonly onSettled: (items: readonly SpooledItem[]) => void;
  /** Spool or dead-letter file can't be read or written. */
  readonly onFailure: (error: GatewayWorkerError) => void;
}

/**
 * `wait` until it is known who holds the shard; `drop` what another worker has brought to the API; `set_aside` what
 * another worker may have missed as well, but what would come out of order now.
 */
export type ItemFate = "send" | "wait" | "drop" | "set_aside";

export interface SenderStats {
  readonly lanes: { readonly total: number; readonly sending: number; readonly waiting: number };
  readonly sentItems: number;
  readonly lastAnswerAtMs: number | null;
  /** Why nothing gets through, or null. */
  readonly trouble: string | null;
}

/**
 * Brings the spool's packets to the API: in order within a lane, lanes beside one another, at least once. A packet
 * leaves the spool when the API has answered for it, or when it stands in the dead-letter file.
 */
export interface Sender {
  start(): void;
  /** Tells of packets that were just stored. */
  add(lane: string, items: readonly SpooledItem[]): void;
  /** Fates may have changed. */
  reconsider(): void;
  stats(): SenderStats;
  /** Sends what can be sent, at most for this long, and stops. What is left stays in the spool. */
  stop(drainTimeoutMs: number): Promise<void>;
}

/** Packets that are kept in memory besides the disk, over all lanes. */
const MEMORY_ITEMS = 5_000;
const BLOCKED_BACKOFF = { minMs: 1_000, maxMs: 60_000 } as const;
/** From here on a failing batch is made smaller, in case one packet in it is the reason. */
const FAILURES_BEFORE_SPLIT = 3;
const FAILURES_BEFORE_ALARM = 8;
/** When so many requests in a row got nothing, it is not their lanes: the first that gets through speaks for all. */
const FAILURES_OF_AN_OUTAGE = 3;

export function createSender(options: SenderOptions): Sender {
  const { spool, ingress, deadLetters, clock, logger } = options;
  const lanes = new Map<string, Lane>();
  const running = new Set<Promise<void>>();
  const abort = new AbortController();
  // Each request listens; Node would take more than ten for a leak.
  setMaxListeners(options.maxConcurrentRequests, abort.signal);
  const throttled = createThrottle(clock);
  let ready: Lane[] = [];
  let loadedItems = 0;
  const bodyLimit = createBodyLimit();
  let endPause: (() => void) | null = null;
  let blocked = 0;
  /** Over all lanes, since one got through. */
  let failuresInARow = 0;
  let stopped = true;
  let sentItems = 0;
  let lastAnswerAtMs: number | null = null;
  let trouble: string | null = null;
  let onQuiet: (() => void) | null = null;

  function laneOf(name: string): Lane {
    let lane = lanes.get(name);
    if (!lane) {
      lane = createLane(name, INGRESS_LIMITS.maxItems);
      lanes.set(name, lane);
    }
    return lane;
  }

  function makeReady(lane: Lane): void {
    lane.cancelWait?.();
    lane.cancelWait = null;
    lane.phase = "ready";
    ready.push(lane);
  }

  function pump(): void {
    while (!stopped && !endPause && running.size < options.maxConcurrentRequests) {
      const lane = ready.shift();
      if (!lane) {
        break;
      }
      lane.phase = "sending";
      const run = send(lane)
        .catch(fail)
        .finally(() => {
          running.delete(run);
          pump();
        });
      running.add(run);
    }
    if (running.size === 0 && (ready.length === 0 || stopped || endPause)) {
      onQuiet?.();
    }
  }

  function fail(cause: unknown): void {
    stopped = true;
    options.onFailure(
      cause instanceof GatewayWorkerError
        ? cause
        : new GatewayWorkerError("spool_failed", "The spool could not be read or written while sending.", { cause }),
    );
  }

  async function send(lane: Lane): Promise<void> {
    if (lane.loaded.length === 0) {
      await load(lane);
    }
    const fate = fateOfFirst(lane);
    const batch = takeBatch(lane, bodyLimit.bytes(), (item) => options.fateOf(item) === fate);
    if (fate === "wait") {
      lane.phase = "parked";
      unloadAboveLimit(lane);
      return;
    }
    if (fate !== "send") {
      return settle(lane, batch, fate === "drop" ? [] : toLetters(batch, "handed_over", HANDED_OVER));
    }
    const outcome = await ingress.post(batch, abort.signal);
    if (!abort.signal.aborted || outcome.kind === "answered") {
      await apply(lane, batch, outcome);
    }
  }

  function fateOfFirst({ loaded: [first] }: Lane): ItemFate {
    return first ? options.fateOf(first) : "send";
  }

  async function load(lane: Lane): Promise<void> {
    lane.loaded = await spool.read(lane.name, lane.cursor, INGRESS_LIMITS.maxItems);
    const last = lane.loaded.at(-1);
    if (!last) {
      throw new GatewayWorkerError("spool_corrupt", `The spool holds packets of lane ${lane.name} that can't be read.`);
    }
    lane.cursor = last.order;
    loadedItems += lane.loaded.length;
  }

  /** What the memory has no room for is read again when its turn comes. */
  function unloadAboveLimit(lane: Lane): void {
    if (loadedItems > MEMORY_ITEMS) {
      loadedItems -= lane.loaded.length;
      lane.loaded = [];
      lane.cursor = 0;
    }
  }

  async function apply(lane: Lane, batch: readonly SpooledItem[], outcome: IngressOutcome): Promise<void> {
    switch (outcome.kind) {
      case "answered": {
        lastAnswerAtMs = clock.now();
        trouble = null;
        blocked = 0;
        lane.failures = 0;
        endOutage();
        lane.batchLimit = Math.min(INGRESS_LIMITS.maxItems, lane.batchLimit * 2);
        bodyLimit.answered();
        const letters = batch.flatMap((item, index): DeadLetter[] => {
          const result = outcome.results[index];
          return result?.status === "rejected" ? [{ item, code: result.code, message: result.message }] : [];
        });
        sentItems += batch.length - letters.length;
        return settle(lane, batch, letters);
      }
      case "too_large":
        if (batch.length > 1) {
          shrinkBodyLimit(batch);
          return makeReady(lane);
        }
        if (outcome.byApi) {
          return settle(lane, batch, toLetters(batch, "too_large", "The API's limit is below this one packet (413)."));
        }
        return waitAndRetry(lane, batch, {
          kind: "failed",
          reason: "HTTP 413 from something between here and the API: its limit is below one packet",
          ...(outcome.retryAfterMs === undefined ? {} : { retryAfterMs: outcome.retryAfterMs }),
        });
      case "refused":
        if (batch.length === 1) {
          return settle(lane, batch, toLetters(batch, outcome.code, outcome.message));
        }
        lane.batchLimit = Math.ceil(batch.length / 2);
        return makeReady(lane);
      case "fenced":
        lane.phase = "parked";
        return options.onFenced();
      case "blocked":
        return pause(lane, outcome);
      case "failed":
        return waitAndRetry(lane, batch, outcome);
    }
  }

  function shrinkBodyLimit(batch: readonly SpooledItem[]): void {
    bodyLimit.refused(bytesOf(batch));
    throttled("too_large", (omitted) => {
      logger.warn(
        { bodyLimitBytes: bodyLimit.bytes(), omitted },
        "A batch was refused for its size (413); sending smaller ones for now",
      );
    });
  }

  /** Everything in `batch` is answered for: letters are written first, then all of it leaves the spool. */
  async function settle(lane: Lane, batch: readonly SpooledItem[], letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length > 0) {
      await deadLetters.append(letters);
      for (const { item, code, message } of letters) {
        logger.error(
          { key: item.key, lane: item.lane, code, reason: message, file: deadLetters.file },
          "This packet will not be sent any more; it is in the dead-letter file",
        );
      }
    }
    spool.remove(lane.name, batch);
    // In the same step: `add` tells by it whether anything lies between.
    lane.loaded = lane.loaded.slice(batch.length);
    loadedItems -= batch.length;
    unloadAboveLimit(lane);
    if (letters.length > 0) {
      await spool.flush();
    }
    if ((spool.lanes().get(lane.name)?.items ?? 0) > 0) {
      makeReady(lane);
    } else {
      lanes.delete(lane.name);
    }
    options.onSettled(batch);
  }

  function endOutage(): void {
    if (failuresInARow >= FAILURES_OF_AN_OUTAGE) {
      logger.info({ failures: failuresInARow, spooled: spool.depth().items }, "The API takes batches again");
      for (const lane of lanes.values()) {
        if (lane.phase === "waiting" && !lane.waitIsAsked) makeReady(lane);
      }
    }
    failuresInARow = 0;
  }

  function pause(lane: Lane, outcome: Extract<IngressOutcome, { kind: "blocked" }>): void {
    lane.phase = "ready";
    ready.unshift(lane);
    trouble = `HTTP ${outcome.status}: ${outcome.advice}`;
    if (endPause) {
      return;
    }
    blocked += 1;
    const delayMs = Math.max(outcome.retryAfterMs ?? 0, backoffDelayMs(blocked, BLOCKED_BACKOFF, options.random));
    const spooled = spool.depth().items;
    throttled("blocked", (omitted) => {
      logger.error({ status: outcome.status, delayMs, spooled, omitted }, outcome.advice);
    });
    endPause = clock.setTimer(() => {
      endPause = null;
      pump();
    }, delayMs);
  }

  function waitAndRetry(
    lane: Lane,
    batch: readonly SpooledItem[],
    outcome: Extract<IngressOutcome, { kind: "failed" }>,
  ): void {
    lane.failures += 1;
    failuresInARow += 1;
    if (lane.failures >= FAILURES_BEFORE_SPLIT) {
      lane.batchLimit = Math.max(1, Math.floor(batch.length / 2));
    }
    trouble = outcome.reason;
    const delayMs = outcome.retryAfterMs ?? backoffDelayMs(lane.failures, options.backoff, options.random);
    const fields = { lane: lane.name, reason: outcome.reason, failures: lane.failures, delayMs };
    if (lane.failures >= FAILURES_BEFORE_ALARM) {
      throttled("stuck", (omitted) => {
        logger.error({ ...fields, omitted }, "A lane does not get through to the API; its packets stay in the spool");
      });
    } else {
      throttled("failed", (omitted) => {
        logger.warn({ ...fields, omitted }, "The API did not take a batch; it is sent again");
      });
    }
    lane.phase = "waiting";
    lane.waitIsAsked = outcome.retryAfterMs !== undefined;
    unloadAboveLimit(lane);
    lane.cancelWait = clock.setTimer(() => {
      makeReady(lane);
      pump();
    }, delayMs);
  }

  return {
    start() {
      stopped = false;
      for (const name of spool.lanes().keys()) {
        const lane = laneOf(name);
        if (lane.phase === "idle") {
          makeReady(lane);
        }
      }
      pump();
    },
    add(name, items) {
      const lane = laneOf(name);
      const inSpool = spool.lanes().get(name)?.items ?? 0;
      // Only what follows the loaded packets without a hole may skip the disk.
      if (lane.loaded.length + items.length === inSpool && loadedItems + items.length <= MEMORY_ITEMS) {
        lane.loaded = [...lane.loaded, ...items];
        lane.cursor = items.at(-1)?.order ?? lane.cursor;
        loadedItems += items.length;
      }
      if (lane.phase === "idle") {
        makeReady(lane);
      }
      pump();
    },
    reconsider() {
      for (const lane of lanes.values()) {
        if (lane.phase === "parked") {
          makeReady(lane);
        }
      }
      pump();
    },
    stats() {
      const all = [...lanes.values()];
      return {
        lanes: {
          total: all.length,
          sending: all.filter((lane) => lane.phase === "sending").length,
          waiting: all.filter((lane) => lane.phase === "waiting").length,
        },
        sentItems,
        lastAnswerAtMs,
        trouble,
      };
    },
    async stop(drainTimeoutMs) {
      if (!stopped) {
        await new Promise<void>((resolve) => {
          const cancel = clock.setTimer(resolve, drainTimeoutMs);
          onQuiet = () => {
            cancel();
            resolve();
          };
          pump();
        });
      }
      stopped = true;
      abort.abort();
      endPause?.();
      for (const lane of lanes.values()) {
        lane.cancelWait?.();
      }
      await Promise.all(running);
      ready = [];
    },
  };
}

const HANDED_OVER = "Another worker holds the shard; it may not have been able to continue the session.";

function toLetters(batch: readonly SpooledItem[], code: string, message: string): readonly DeadLetter[] {
  return batch.map((item) => ({ item, code, message }));
}
