import { join } from "node:path";
import { backoffDelayMs } from "./backoff.js";
import { createGatewayConnection, type GatewayConnection, type ReceivedPacket } from "./connection.js";
import { createDeadLetters, type DeadLetters } from "./dead-letters.js";
import { GatewayWorkerError, isGatewayWorkerError } from "./errors.js";
import { type HealthServer, startHealthServer } from "./health.js";
import { createIdentifyThrottle } from "./identify-throttle.js";
import { createIngressClient } from "./ingress-client.js";
import { type GatewayWorkerOptions, resolveOptions } from "./options.js";
import { entriesOf, isForwarded } from "./packet.js";
import { type GatewayPeers, loadPeers } from "./peers.js";
import { createSender, type Sender } from "./sender.js";
import { openSpool, type Spool } from "./spool.js";
import { collectStats, type GatewayWorkerStats } from "./stats.js";

/** A long-lived process's part: it holds Discord's Gateway and hands every packet on. */
export interface DiscordGatewayWorker {
  /**
   * Resolves when every shard is connected. While Discord can't be reached it goes on trying, with a warning each
   * time; what the spool still holds is sent meanwhile.
   *
   * @throws {GatewayWorkerError} what the operator has to mend: `invalid_token`, `disallowed_intents`, `missing_peer`,
   * `spool_locked`, `spool_corrupt`, `health_port_in_use` …; `stopped` when stop() came first
   */
  start(): Promise<void>;
  /**
   * Leaves Discord so that the next start resumes, sends for at most `drainTimeoutMs` what can be sent, and leaves the
   * rest in the spool. May be called at any time and again; never rejects.
   */
  stop(): Promise<void>;
  /**
   * Resolves after stop(). Rejects with a {@link GatewayWorkerError} when the worker can't go on, such as after a token
   * was reset: end the process with a non-zero code then, as Node does by itself if nobody handles this rejection.
   */
  readonly finished: Promise<void>;
  stats(): GatewayWorkerStats;
  /** Where `/healthz` is served; null without the option, or before start() has come so far. */
  healthPort(): number | null;
}

interface Parts {
  readonly peers: GatewayPeers;
  readonly spool: Spool;
  readonly sender: Sender;
  readonly health: HealthServer | null;
}

const START_BACKOFF = { minMs: 1_000, maxMs: 30_000 } as const;
/** Below this share of its limit a spool that was full is used again. */
const ROOM_AGAIN = 0.8;

/**
 * Forwards Discord's Gateway to the API: at least once, in order per guild, and without loss over an outage of the API,
 * a crash or a deploy of the worker, as long as Discord still holds the session. Where it does not, the API gets a
 * `HOOKLINE_GAP` item that says from when to when packets may be missing.
 *
 * Needs the optional peers `@discordjs/ws` and `@discordjs/rest`; start() loads them.
 *
 * @example
 * const worker = createDiscordGatewayWorker({ botToken, apiPublicUrl: "https://api.example.com", ingressSecret });
 * process.once("SIGTERM", () => worker.stop());
 * await worker.start();
 * await worker.finished;
 * @throws {GatewayWorkerError} `invalid_option`
 */
export function createDiscordGatewayWorker(options: GatewayWorkerOptions): DiscordGatewayWorker {
  const settings = resolveOptions(options);
  const { clock, logger } = settings;
  const deadLetters: DeadLetters = createDeadLetters(join(settings.spoolDirectory, "dead-letters.jsonl"), clock.now);
  const identifyThrottle = createIdentifyThrottle(clock);
  const totals = { receivedPackets: 0, gaps: 0, identifies: 0, resumes: 0 };
  let state: GatewayWorkerStats["state"] = "new";
  let parts: Parts | null = null;
  let setup: Promise<Parts> | null = null;
  let connection: GatewayConnection | null = null;
  let reconnecting: Promise<void> | null = null;
  let failure: GatewayWorkerError | null = null;
  let ending = false;
  let ended: Promise<void> = Promise.resolve();
  let keepAlive: NodeJS.Timeout | undefined;
  let full = false;
  let wake: (() => void) | null = null;
  let resolveFinished: () => void = () => {};
  let rejectFinished: (error: GatewayWorkerError) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    resolveFinished = resolve;
    rejectFinished = reject;
  });

  async function open(): Promise<Parts> {
    const peers = await loadPeers();
    let sender: Sender | null = null;
    const spool = await openSpool({
      directory: settings.spoolDirectory,
      ...settings.spoolLimit,
      clock,
      onStored: (lane, items) => sender?.add(lane, items),
      onFailure: fail,
    });
    sender = createSender({
      spool,
      ingress: createIngressClient({
        url: settings.ingressUrl,
        secret: settings.ingressSecret,
        timeoutMs: settings.requestTimeoutMs,
        fetch: settings.fetch,
        clock,
      }),
      deadLetters,
      backoff: settings.retryBackoff,
      maxConcurrentRequests: settings.maxConcurrentRequests,
      clock,
      logger,
      random: settings.random,
      onProgress: () => wake?.(),
      onFailure: fail,
    });
    try {
      const health = settings.health ? await startHealthServer({ ...settings.health, stats }) : null;
      parts = { peers, spool, sender, health };
      sender.start();
      return parts;
    } catch (error) {
      await spool.close();
      throw error;
    }
  }

  async function connectUntilLive({ peers, spool }: Parts): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      await waitForRoom(spool);
      await spool.flush();
      throwIfEnding();
      const current = createGatewayConnection({
        ...settings,
        peers,
        stored: spool.sessions(),
        identifyThrottle,
        onPacket: (packet) => accept(spool, packet),
        onAlive: (shardId, session) => spool.advance({ shardId, session }),
        onFatal: fail,
      });
      connection = current;
      try {
        await current.connect();
        return;
      } catch (cause) {
        await leave();
        throwIfEnding();
        if (full) {
          failures = 0;
          continue;
        }
        if (isGatewayWorkerError(cause)) {
          throw cause;
        }
        const delayMs = backoffDelayMs(failures, START_BACKOFF, settings.random);
        const reason = cause instanceof Error ? cause.message : String(cause);
        logger.warn({ reason, failures, delayMs }, "Can't connect to Discord yet; trying again");
        await sleep(delayMs);
      }
    }
  }

  /** False: the spool is full, so the packet stays Discord's until there is room. */
  function accept(spool: Spool, packet: ReceivedPacket): boolean {
    const { shardId, session } = packet;
    const entries = entriesOf(packet);
    if (entries.length === 0 && packet.type !== "READY") {
      spool.advance({ shardId, session });
      return true;
    }
    if (spool.isFull()) {
      pauseUntilRoom(spool);
      return false;
    }
    spool.append(entries, { shardId, session });
    if (packet.lost) {
      totals.gaps += 1;
      logger.error(
        { shard: shardId, lastSeenAtMs: packet.lost.lastSeenAtMs, reason: packet.lost.reason },
        "Discord did not continue the session: packets may be missing, and the API is told so",
      );
    }
    totals.receivedPackets += isForwarded(packet.type) ? 1 : 0;
    return true;
  }

  function pauseUntilRoom(spool: Spool): void {
    full = true;
    const { items, bytes } = spool.depth();
    logger.error(
      { items, bytes, trouble: parts?.sender.stats().trouble },
      "The spool is full: leaving Discord until the API has caught up. After some minutes Discord gives the session up",
    );
    if (state === "running" && parts) {
      state = "paused";
      reconnecting = resumeWhenRoom(parts).catch(fail);
    } else {
      reconnecting = leave();
    }
  }

  async function resumeWhenRoom(all: Parts): Promise<void> {
    await leave();
    try {
      await connectUntilLive(all);
    } catch (error) {
      if (!ending) {
        throw error;
      }
    }
    if (state === "paused") {
      state = "running";
    }
  }

  async function waitForRoom(spool: Spool): Promise<void> {
    full ||= spool.isFull();
    while (full && !ending) {
      const { items, bytes } = spool.depth();
      const { maxItems, maxBytes } = settings.spoolLimit;
      if (items <= maxItems * ROOM_AGAIN && bytes <= maxBytes * ROOM_AGAIN) {
        full = false;
        logger.info({ items, bytes }, "The spool has room again");
        return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  async function sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(resolve, delayMs);
      wake = () => {
        if (ending) {
          cancel();
          resolve();
        }
      };
    });
  }

  async function leave(): Promise<void> {
    const current = connection;
    connection = null;
    if (current) {
      await current.close();
      totals.identifies += current.counts().identifies;
      totals.resumes += current.counts().resumes;
    }
  }

  function throwIfEnding(): void {
    if (failure) {
      throw failure;
    }
    if (ending) {
      throw new GatewayWorkerError("stopped", "The worker was stopped before it was connected.");
    }
  }

  function fail(cause: unknown): void {
    if (failure || ending) {
      return;
    }
    failure = isGatewayWorkerError(cause)
      ? cause
      : new GatewayWorkerError("spool_failed", "The worker met an error that it can't go on from.", { cause });
    logger.error({ code: failure.code, err: failure }, failure.message);
    end(0);
  }

  function end(drainTimeoutMs: number): void {
    if (!ending) {
      ending = true;
      state = "stopping";
      wake?.();
      ended = endAll(drainTimeoutMs);
    }
  }

  /** In the order in which nothing gets lost: first no more packets, then the disk, then the API. */
  async function endAll(drainTimeoutMs: number): Promise<void> {
    // What went wrong while opening is start()'s to report, and it has closed what it had opened.
    const all = await setup?.catch(() => null);
    await leave();
    await reconnecting;
    if (all) {
      await all.spool.flush();
      await all.sender.stop(drainTimeoutMs);
      await all.health?.close();
      await all.spool.close();
    }
    clearInterval(keepAlive);
    if (failure) {
      state = "failed";
      rejectFinished(failure);
    } else {
      state = "stopped";
      resolveFinished();
    }
  }

  function stats(): GatewayWorkerStats {
    return collectStats({ state, full, totals, connection, deadLetters, parts, nowMs: clock.now() });
  }

  async function run(): Promise<void> {
    try {
      setup = open();
      await connectUntilLive(await setup);
      throwIfEnding();
      state = "running";
    } catch (error) {
      // The caller hears of it here: `finished`, which rejects as well, need not be handled too.
      finished.catch(() => {});
      fail(error);
      await ended;
      throw failure ?? error;
    }
  }

  return {
    async start() {
      if (state !== "new") {
        throw new GatewayWorkerError("already_started", "A worker starts once; make a new one to start again.");
      }
      state = "starting";
      // Timers of the clock hold no process alive, and between two tries there may be nothing else.
      keepAlive = setInterval(() => {}, 2 ** 30);
      await run();
    },
    stop() {
      if (state === "new") {
        state = "stopped";
        resolveFinished();
      } else {
        end(settings.drainTimeoutMs);
      }
      return ended;
    },
    finished,
    stats,
    healthPort: () => parts?.health?.port ?? null,
  };
}
