import { join } from "node:path";
import type { StoredSession } from "../stored-session.js";
import { type AcknowledgedPositions, createAcknowledgedPositions } from "./acknowledged.js";
import { type Backfill, createBackfill, missedTime } from "./backfill.js";
import { backoffDelayMs } from "./backoff.js";
import { createGatewayConnection, type GatewayConnection, type ReceivedPacket } from "./connection.js";
import { createDeadLetters, type DeadLetters } from "./dead-letters.js";
import { GatewayWorkerError, isGatewayWorkerError } from "./errors.js";
import { type Forwarding, openForwarding } from "./forwarding.js";
import { type HealthServer, startHealthServer } from "./health.js";
import { createIdentifyThrottle } from "./identify-throttle.js";
import { createLeaseClient } from "./lease-client.js";
import { type GatewayWorkerOptions, resolveOptions } from "./options.js";
import { createOutcome } from "./outcome.js";
import { entriesOf, isForwarded } from "./packet.js";
import { createRest, type GatewayPeers, loadPeers } from "./peers.js";
import { createShardLeases, type ShardLeases } from "./shard-leases.js";
import type { Spool } from "./spool.js";
import { collectStats, type GatewayWorkerStats, type WorkerTotals } from "./stats.js";

/** A long-lived process's part: it holds Discord's Gateway and hands every packet on. */
export interface DiscordGatewayWorker {
  /**
   * Resolves when every shard is connected or, with leases, when other workers hold them all. While Discord can't be reached it goes on trying, with a warning each
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

interface Parts extends Forwarding {
  readonly peers: GatewayPeers;
  /** For who takes a shard over, so only where workers share them. */
  readonly acknowledged: AcknowledgedPositions | null;
  readonly leases: ShardLeases | null;
  readonly backfill: Backfill | null;
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
  const totals: WorkerTotals = { receivedPackets: 0, gaps: 0, identifies: 0, resumes: 0, identifiesLeft: null };
  const started = createOutcome();
  const finished = createOutcome();
  let state: GatewayWorkerStats["state"] = "new";
  let parts: Parts | null = null;
  let health: HealthServer | null = null;
  let connection: GatewayConnection | null = null;
  let failure: GatewayWorkerError | null = null;
  let ending: { readonly drainTimeoutMs: number } | null = null;
  let ended: Promise<void> = Promise.resolve();
  let full = false;
  let wake: () => void = () => {};

  async function open(): Promise<Parts> {
    const peers = await loadPeers();
    let leases: ShardLeases | null = null;
    const forwarding = await openForwarding({
      settings,
      deadLetters,
      ...(settings.shardLeases === null
        ? {}
        : {
            leases: {
              fences: () => leases?.fences() ?? new Map(),
              fateOf: (item) => leases?.fateOf(item) ?? "wait",
              onFenced: () => leases?.lookNow(),
            },
          }),
      onSettled(items) {
        acknowledged?.settled(items);
        wake();
      },
      onFailure: fail,
    });
    const { spool, sender } = forwarding;
    const acknowledged =
      settings.shardLeases &&
      createAcknowledgedPositions({
        sessions: new Map(spool.sessions()),
        lastOrder: spool.lastOrder(),
        items: spool.depth().items,
      });
    if (settings.shardLeases !== null && acknowledged !== null) {
      leases = createShardLeases({
        ...settings.shardLeases,
        ask: createLeaseClient({ url: `${settings.connectorUrl}/shard-leases`, post: forwarding.post }),
        holder: spool.id,
        clock,
        logger,
        positionOf: acknowledged.of,
        lastOrder: spool.lastOrder,
        onTakenOver(shardId, session) {
          acknowledged.moved(shardId, session);
          spool.advance({ shardId, session });
        },
        onChange: reconnect,
        onAnswer() {
          sender.reconsider();
          wake();
        },
      });
    }
    try {
      health = settings.health ? await startHealthServer({ ...settings.health, stats }) : null;
    } catch (error) {
      await forwarding.close();
      throw error;
    }
    const backfill = settings.backfill
      ? createBackfill({ ...settings, ...settings.backfill, rest: createRest(peers, settings), spool })
      : null;
    return { ...forwarding, peers, acknowledged, leases, backfill };
  }

  /** Connects again and again, until the worker ends. */
  async function hold(all: Parts): Promise<void> {
    let failures = 0;
    while (!ending) {
      const shardIds = await whenAllowed(all);
      await all.spool.flush();
      if (ending) {
        return;
      }
      connection = createGatewayConnection({
        ...settings,
        peers: all.peers,
        shardIds,
        stored: all.spool.sessions(),
        identifyThrottle,
        connectDelayMs: () => all.leases?.connectDelayMs() ?? 0,
        onPacket: (packet) => accept(all, packet),
        onAlive: (shardId, session) => advance(all, { shardId, session }),
        onFatal: fail,
      });
      try {
        await connection.connect();
        failures = 0;
        become("running");
        started.resolve();
        await connection.closed;
      } catch (cause) {
        await leave();
        if (!isGatewayWorkerError(cause)) {
          failures += 1;
          await waitToTryAgain(failures, cause);
        } else if (cause.code !== "stopped") {
          fail(cause);
        }
      }
      settle(connection);
      connection = null;
    }
  }

  /** When there is room in the spool and, with leases, a shard to hold; answers which, null for all. */
  async function whenAllowed({ spool, leases }: Parts): Promise<readonly number[] | null> {
    for (;;) {
      full ||= spool.isFull();
      if (full && hasRoomAgain(spool)) {
        full = false;
        logger.info(spool.depth(), "The spool has room again");
      }
      const shardIds = leases?.held() ?? null;
      const standsBy = shardIds?.length === 0;
      if (ending || !(full || standsBy)) {
        return shardIds;
      }
      if (full) {
        become("paused");
      } else if (leases?.lastAnswerAtMs() != null) {
        if (state !== "standby") logger.info({}, "Other workers hold all shards; standing by");
        become("standby");
        started.resolve();
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  function hasRoomAgain(spool: Spool): boolean {
    const { items, bytes } = spool.depth();
    const { maxItems, maxBytes } = settings.spoolLimit;
    return items <= maxItems * ROOM_AGAIN && bytes <= maxBytes * ROOM_AGAIN;
  }

  /** False: the spool is full, so the packet stays Discord's until there is room. */
  function accept(all: Parts, packet: ReceivedPacket): boolean {
    const { shardId, session } = packet;
    const entries = entriesOf(packet);
    if (entries.length === 0 && packet.type !== "READY") {
      advance(all, { shardId, session });
      return true;
    }
    if (all.spool.isFull()) {
      full = true;
      const { items, bytes } = all.spool.depth();
      logger.error(
        { items, bytes, trouble: all.sender.stats().trouble },
        "The spool is full: leaving Discord until the API has caught up. After some minutes Discord gives the session up",
      );
      reconnect();
      return false;
    }
    all.spool.append(entries, { shardId, session });
    all.acknowledged?.appended(entries, { shardId, session });
    if (packet.type === "READY") {
      all.leases?.lookNow();
    }
    if (packet.lost) {
      totals.gaps += 1;
      logger.error(
        { shard: shardId, lastSeenAtMs: packet.lost.lastSeenAtMs, reason: packet.lost.reason },
        "Discord did not continue the session: packets may be missing, and the API is told so",
      );
      all.backfill?.add(missedTime(packet, packet.lost));
    }
    totals.receivedPackets += isForwarded(packet.type) ? 1 : 0;
    return true;
  }

  function advance({ spool, acknowledged }: Parts, at: { shardId: number; session: StoredSession }): void {
    spool.advance(at);
    acknowledged?.moved(at.shardId, at.session);
  }

  /** What is connected may be so no longer: the loop looks what may be. */
  function reconnect(): void {
    leave().catch(fail);
    wake();
  }

  async function waitToTryAgain(failures: number, cause: unknown): Promise<void> {
    if (ending) {
      return;
    }
    const delayMs = backoffDelayMs(failures, START_BACKOFF, settings.random);
    const reason = cause instanceof Error ? cause.message : String(cause);
    logger.warn({ reason, failures, delayMs }, "Can't connect to Discord yet; trying again");
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
    await connection?.close();
  }

  function settle(ended: GatewayConnection): void {
    const { identifies, resumes, identifiesLeft } = ended.counts();
    totals.identifies += identifies;
    totals.resumes += resumes;
    totals.identifiesLeft = identifiesLeft ?? totals.identifiesLeft;
  }

  function become(next: "running" | "paused" | "standby"): void {
    if (!ending && !(next === "paused" && state === "starting")) {
      state = next;
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
      ending = { drainTimeoutMs };
      state = "stopping";
      reconnect();
    }
  }

  async function run(): Promise<void> {
    try {
      parts = await open();
      parts.sender.start();
      parts.leases?.start();
      await hold(parts);
    } catch (error) {
      fail(error);
    }
    await close();
  }

  /** In the order in which nothing gets lost: no more packets come, so first the disk, then the API, then the leases. */
  async function close(): Promise<void> {
    if (parts) {
      await parts.backfill?.stop();
      await parts.spool.flush();
      await parts.sender.stop(ending?.drainTimeoutMs ?? 0);
      // What was answered must be gone before another worker may hold the shards.
      await parts.spool.flush();
      await parts.leases?.stop();
      if (!failure)
        logger.info(
          { spooled: parts.spool.depth().items },
          "Has left Discord; what is spooled goes with the next start",
        );
      await parts.close();
    }
    await health?.close();
    if (failure) {
      state = "failed";
      started.reject(failure);
      finished.reject(failure);
    } else {
      state = "stopped";
      started.reject(new GatewayWorkerError("stopped", "The worker was stopped before it was connected."));
      finished.resolve();
    }
  }

  function stats(): GatewayWorkerStats {
    return collectStats({ state, full, totals, connection, deadLetters, parts, nowMs: clock.now() });
  }

  return {
    async start() {
      if (state !== "new") {
        throw new GatewayWorkerError("already_started", "A worker starts once; make a new one to start again.");
      }
      state = "starting";
      // Timers of the clock hold no process alive, and between two tries there may be nothing else.
      const keepAlive = setInterval(() => {}, 2 ** 30);
      ended = run().finally(() => clearInterval(keepAlive));
      // Who handles start() need not handle `finished`, which rejects as well, unless it was connected before.
      await started.promise.catch((error: unknown) => {
        finished.promise.catch(() => {});
        throw error;
      });
    },
    stop() {
      if (state === "new") {
        state = "stopped";
        finished.resolve();
      } else {
        end(settings.drainTimeoutMs);
      }
      return ended;
    },
    finished: finished.promise,
    stats,
    healthPort: () => health?.port ?? null,
  };
}
