import type { IShardingStrategy, SessionInfo } from "@discordjs/ws";
import type { Clock, Logger } from "@hookline/core";
import type { StoredSession } from "../stored-session.js";
import { backoffDelayMs } from "./backoff.js";
import { fatalCloseError, invalidTokenAdvice, RESUMABLE_CLOSE_CODE } from "./close-codes.js";
import { GatewayWorkerError } from "./errors.js";
import type { IdentifyThrottle } from "./identify-throttle.js";
import { createRest, type GatewayPeers } from "./peers.js";
import { createSessionMemory, type LostSession } from "./session-memory.js";

/** A packet in its place, and the session as it is behind this packet. */
export interface ReceivedPacket {
  readonly type: string;
  readonly d: unknown;
  readonly shardId: number;
  readonly session: StoredSession;
  readonly receivedAtMs: number;
  /** With READY only: the session that could not be continued. */
  readonly lost: LostSession | null;
}

export interface ConnectionOptions {
  readonly peers: GatewayPeers;
  readonly botToken: string;
  readonly intents: number;
  readonly restBaseUrl: string;
  readonly shardCount: number | null;
  /** Null: all of them. */
  readonly shardIds: readonly number[] | null;
  /** For how long no socket may be opened, where somebody else may have the session; 0 for not at all. */
  readonly connectDelayMs: () => number;
  readonly stored: ReadonlyMap<number, StoredSession>;
  readonly identifyThrottle: IdentifyThrottle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** False: not accepted, the position stays before it, and nothing behind it is offered. */
  readonly onPacket: (packet: ReceivedPacket) => boolean;
  /** A sign of life without a packet. */
  readonly onAlive: (shardId: number, session: StoredSession) => void;
  /** Discord lets nobody reconnect; called once. */
  readonly onFatal: (error: GatewayWorkerError) => void;
}

export interface ShardStatus {
  readonly id: number;
  /** READY or RESUMED was seen and the socket is open. */
  readonly live: boolean;
  /** Milliseconds since 1970; null before the first. */
  readonly lastHeartbeatAckAtMs: number | null;
  readonly lastSignAtMs: number;
}

/** One lifetime of all shards: the library reconnects within it, a fresh one resumes from the spool. */
export interface GatewayConnection {
  /**
   * Resolves when each shard is live.
   *
   * @throws {GatewayWorkerError} fatal, or `stopped` after close(); anything else may be tried again
   */
  connect(): Promise<void>;
  shards(): readonly ShardStatus[];
  counts(): { readonly identifies: number; readonly resumes: number; readonly identifiesLeft: number | null };
  /** Leaves Discord so that it keeps the sessions. */
  close(): Promise<void>;
  /** Resolves when it has been closed. */
  readonly closed: Promise<void>;
}

const RECONNECT_BACKOFF = { minMs: 250, maxMs: 5_000 } as const;
const FAILURES_BEFORE_OTHER_URL = 3;
const CLOSE_TIMEOUT_MS = 3_000;

export function createGatewayConnection(options: ConnectionOptions): GatewayConnection {
  const { clock, logger, intents } = options;
  const memory = createSessionMemory({ stored: options.stored, intents });
  const shards = new Map<number, { lastHeartbeatAckAtMs: number | null; lastSignAtMs: number }>();
  const positions = new Map<number, StoredSession>(options.stored);
  const connecting = new Set<number>();
  const counts: { identifies: number; resumes: number; identifiesLeft: number | null } = {
    identifies: 0,
    resumes: 0,
    identifiesLeft: null,
  };
  let rejectConnect: ((error: GatewayWorkerError) => void) | null = null;
  let closing = false;
  let closeResult: Promise<void> | null = null;
  let resolveClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  let accepting = true;
  let fatal: GatewayWorkerError | null = null;
  let gatewayUrl: string | null = null;
  let onSettled: (() => void) | null = null;

  const rest = createRest(options.peers, options);

  let strategy: IShardingStrategy | null = null;
  const manager = new options.peers.WebSocketManager({
    token: options.botToken,
    intents,
    rest,
    shardCount: options.shardCount,
    shardIds: options.shardIds === null ? null : [...options.shardIds],
    compression: null,
    retrieveSessionInfo(shardId) {
      // A shard that wants to reconnect while we leave must not: it waits here for ever.
      if (closing) {
        return new Promise(() => {});
      }
      return memory.isOpen(shardId) ? memory.retrieve(shardId) : beforeConnecting(shardId);
    },
    updateSessionInfo(shardId, session) {
      if (!closing) {
        memory.update(shardId, session);
      }
    },
    buildStrategy(self) {
      strategy = new options.peers.SimpleShardingStrategy(self);
      return strategy;
    },
    buildIdentifyThrottler: async (self) => {
      const { session_start_limit: limit } = await self.fetchGatewayInformation();
      const inner = new options.peers.SimpleIdentifyThrottler(limit.max_concurrency);
      return {
        async waitForIdentify(shardId, signal) {
          await options.identifyThrottle.wait(signal);
          await inner.waitForIdentify(shardId, signal);
        },
      };
    },
  });

  function beforeConnecting(shardId: number): SessionInfo | null | Promise<SessionInfo | null> {
    const failures = memory.failures(shardId);
    const backoffMs = failures < 2 ? 0 : backoffDelayMs(failures - 1, RECONNECT_BACKOFF, options.random);
    const delayMs = Math.max(backoffMs, options.connectDelayMs());
    if (delayMs === 0) {
      return sessionToConnectWith(shardId);
    }
    return new Promise((resolve) => {
      clock.setTimer(() => {
        if (!closing) {
          resolve(sessionToConnectWith(shardId));
        }
      }, delayMs);
    });
  }

  function sessionToConnectWith(shardId: number): SessionInfo | null {
    connecting.add(shardId);
    const session = memory.retrieve(shardId);
    const failures = memory.failures(shardId);
    // The session's own address may be gone while Discord still knows the session.
    const elsewhere = failures >= FAILURES_BEFORE_OTHER_URL && failures % 2 === 1;
    return session && gatewayUrl && elsewhere ? { ...session, resumeURL: gatewayUrl } : session;
  }

  function settled(shardId: number): void {
    connecting.delete(shardId);
    if (connecting.size === 0) {
      onSettled?.();
    }
  }

  function signOfLife(shardId: number): { lastHeartbeatAckAtMs: number | null; lastSignAtMs: number } {
    const known = shards.get(shardId) ?? { lastHeartbeatAckAtMs: null, lastSignAtMs: 0 };
    known.lastSignAtMs = clock.now();
    shards.set(shardId, known);
    memory.onSeen(shardId, known.lastSignAtMs);
    return known;
  }

  manager.on("hello", (shardId) => {
    memory.onHello(shardId);
    signOfLife(shardId);
    settled(shardId);
    if (closing) {
      // Not before the library has finished with this HELLO.
      setImmediate(() => leave().catch((error: unknown) => logger.debug({ err: error }, "Leaving Discord failed")));
    }
  });
  manager.on("closed", (code, shardId) => {
    memory.onClosed(shardId, code);
    settled(shardId);
    const error = closing ? null : fatalCloseError(code, intents);
    if (error && !fatal) {
      fatal = error;
      rejectConnect?.(error);
      options.onFatal(error);
    } else if (!closing) {
      logger.info({ shard: shardId, code }, "Discord's Gateway closed; reconnecting");
    }
  });
  manager.on("error", (error, shardId) => {
    logger.warn({ shard: shardId, reason: error.message }, "Discord's Gateway reported an error");
  });
  manager.on("socketError", (error, shardId) => {
    logger.warn({ shard: shardId, reason: error.message }, "The socket to Discord's Gateway failed");
  });
  manager.on("debug", (message, shardId) => {
    logger.debug({ shard: shardId }, message.replaceAll(options.botToken, "[token]"));
  });
  manager.on("heartbeat", ({ ackAt }, shardId) => {
    signOfLife(shardId).lastHeartbeatAckAtMs = ackAt;
    const position = positions.get(shardId);
    if (position && accepting && memory.isCurrent(shardId)) {
      options.onAlive(shardId, { ...position, lastSeenAtMs: memory.lastSeenAtMs(shardId) });
    }
  });
  manager.on("ready", (_, shardId) => {
    counts.identifies += 1;
    counts.identifiesLeft = counts.identifiesLeft === null ? null : Math.max(0, counts.identifiesLeft - 1);
    memory.onCurrent(shardId);
    logger.info({ shard: shardId }, "Connected to Discord's Gateway with a new session");
  });
  manager.on("resumed", (shardId) => {
    counts.resumes += 1;
    memory.onCurrent(shardId);
    logger.info({ shard: shardId }, "Resumed the session at Discord's Gateway");
  });
  manager.on("dispatch", (payload, shardId) => {
    const info = memory.retrieve(shardId);
    if (closing || !accepting || info === null) {
      return;
    }
    memory.onPacket(shardId);
    const { lastSignAtMs } = signOfLife(shardId);
    const before = positions.get(shardId);
    if (before?.sessionId === info.sessionId && payload.s <= before.seq) {
      return;
    }
    const session: StoredSession = {
      sessionId: info.sessionId,
      resumeUrl: info.resumeURL,
      seq: payload.s,
      shardCount: info.shardCount,
      intents,
      lastSeenAtMs: memory.lastSeenAtMs(shardId),
    };
    const lost = payload.t === "READY" ? memory.takeLost(shardId) : null;
    accepting = options.onPacket({
      type: payload.t,
      d: payload.d,
      shardId,
      session,
      receivedAtMs: lastSignAtMs,
      lost,
    });
    if (accepting) {
      positions.set(shardId, session);
    }
  });

  async function leave(): Promise<void> {
    await manager.destroy({ code: RESUMABLE_CLOSE_CODE, reason: "Worker stops and will resume" });
  }

  function within(timeoutMs: number, work: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.setTimer(resolve, timeoutMs);
      work(() => {
        cancel();
        resolve();
      });
    });
  }

  async function open(): Promise<void> {
    const information = await manager.fetchGatewayInformation();
    gatewayUrl = information.url;
    await manager.updateShardCount(await manager.getShardCount());
    // The library's own connect() would also refuse sessions that are only resumed, which costs nothing.
    const fresh = (await manager.getShardIds()).filter((shardId) => memory.retrieve(shardId) === null).length;
    const { remaining, reset_after: resetAfterMs } = information.session_start_limit;
    counts.identifiesLeft = remaining;
    if (remaining < fresh) {
      const at = new Date(clock.now() + resetAfterMs).toISOString();
      throw new Error(`Discord allows ${remaining} new sessions and ${fresh} are needed; there are more from ${at} on`);
    }
    await strategy?.connect();
  }

  async function closeOnce(): Promise<void> {
    closing = true;
    rejectConnect?.(new GatewayWorkerError("stopped", "The worker was stopped before it was connected."));
    // The library can't end a socket that is still being opened: it would be left behind without an error handler.
    if (connecting.size > 0) {
      await within(CLOSE_TIMEOUT_MS, (done) => {
        onSettled = done;
      });
    }
    if (![...shards.keys()].some((id) => memory.isOpen(id))) {
      return;
    }
    await within(CLOSE_TIMEOUT_MS, (done) => {
      leave().then(done, (error: unknown) => {
        logger.warn({ err: error }, "Leaving Discord's Gateway failed");
        done();
      });
    });
  }

  return {
    async connect() {
      try {
        await Promise.race([
          open(),
          new Promise<never>((_, reject) => {
            rejectConnect = reject;
          }),
        ]);
      } catch (cause) {
        if (fatal) {
          throw fatal;
        }
        if (cause instanceof Error && "status" in cause && cause.status === 401) {
          throw new GatewayWorkerError("invalid_token", `${invalidTokenAdvice()} (HTTP 401)`, { cause });
        }
        throw cause;
      }
    },
    shards: () =>
      [...shards].map(([id, { lastHeartbeatAckAtMs, lastSignAtMs }]) => ({
        id,
        live: memory.isCurrent(id),
        lastHeartbeatAckAtMs,
        lastSignAtMs,
      })),
    counts: () => counts,
    close() {
      closeResult ??= closeOnce().finally(resolveClosed);
      return closeResult;
    },
    closed,
  };
}
