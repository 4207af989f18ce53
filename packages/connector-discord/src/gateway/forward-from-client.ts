import { join } from "node:path";
import type { StoredSession } from "../stored-session.js";
import { UNKNOWN_INTENTS } from "../stored-session.js";
import { createDeadLetters } from "./dead-letters.js";
import { isGatewayWorkerError } from "./errors.js";
import { openForwarding } from "./forwarding.js";
import { type ForwardingOptions, resolveForwarding } from "./options.js";
import { createOutcome } from "./outcome.js";
import { entriesOf, gapEntry, guildIdsOf, isForwarded } from "./packet.js";
import type { SenderStats } from "./sender.js";
import { createThrottle } from "./throttle.js";

/** What is used of a discord.js `Client`: its `raw` event, with each packet as Discord sent it. */
export interface RawPacketSource {
  // biome-ignore lint/suspicious/noExplicitAny: discord.js has no type for this event
  on(event: "raw", listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: "raw", listener: (...args: any[]) => void): unknown;
}

/** Forwards what a client receives, until stop(). */
export interface ClientForwarding {
  stats(): ClientForwardingStats;
  /** Listens no more, sends for at most `drainTimeoutMs` what can be sent, and leaves the rest in the spool. */
  stop(): Promise<void>;
  /** Resolves after stop(); rejects with a {@link GatewayWorkerError} when the disk refuses, and nothing is forwarded any more. */
  readonly finished: Promise<void>;
}

export interface ClientForwardingStats {
  readonly receivedPackets: number;
  /** Sessions that the client could not continue, and times when the spool was full. */
  readonly gaps: number;
  readonly spool: { readonly items: number; readonly bytes: number; readonly oldestAtMs: number | null };
  readonly ingress: SenderStats;
  readonly deadLetters: number;
}

interface Packet {
  readonly op: number;
  readonly t: string | null;
  readonly s: number | null;
  readonly d: unknown;
}

interface Shard {
  session: StoredSession;
  guildIds: readonly string[];
  /** Since when packets had no room in the spool. */
  fullSinceMs: number | null;
}

/** Below this share of its limit a spool that was full takes packets again. */
const ROOM_AGAIN = 0.8;

/**
 * Forwards what an existing discord.js `Client` receives, in order per guild and at least once from the moment that it
 * is in the spool. Call it before `client.login()`, so that sessions are known by their own ids.
 *
 * The session stays the client's: it begins a new one with each start of the process, so what happens in between is
 * missing, and the API gets a `HOOKLINE_GAP` item. The worker resumes instead.
 *
 * @example
 * const forwarding = await forwardFromClient(client, { apiPublicUrl: "https://api.example.com", ingressSecret });
 * forwarding.finished.catch((error) => console.error(error.message));
 * await client.login(token);
 * process.once("SIGTERM", async () => {
 *   await client.destroy();
 *   await forwarding.stop();
 * });
 * @throws {GatewayWorkerError} `invalid_option`, `spool_locked`, `spool_corrupt`, `spool_failed`
 */
export async function forwardFromClient(
  client: RawPacketSource,
  options: ForwardingOptions,
): Promise<ClientForwarding> {
  const settings = resolveForwarding(options);
  const { clock, logger, spoolLimit } = settings;
  const deadLetters = createDeadLetters(join(settings.spoolDirectory, "dead-letters.jsonl"), clock.now);
  const throttled = createThrottle(clock);
  const shards = new Map<number, Shard>();
  let receivedPackets = 0;
  let gaps = 0;
  let stopped: Promise<void> | null = null;
  const finished = createOutcome();

  const { spool, sender, close } = await openForwarding({
    settings,
    deadLetters,
    onSettled() {},
    onFailure(error) {
      client.off("raw", receive);
      logger.error({ code: error.code, err: error }, error.message);
      finished.reject(error);
    },
  });

  function receive(packet: Packet, shardId: number): void {
    if (packet.op !== 0 || packet.t === null || packet.s === null) {
      return;
    }
    const known = shards.get(shardId);
    if (packet.t === "READY") {
      begin(packet, shardId);
    } else if (known === undefined || packet.s > known.session.seq) {
      accept(known ?? unknownShard(shardId), { ...packet, t: packet.t, s: packet.s }, shardId);
    }
  }

  function begin({ d, s }: Packet, shardId: number): void {
    const before = shards.get(shardId)?.session ?? spool.sessions().get(shardId);
    const receivedAtMs = clock.now();
    const session = sessionOf((d as { readonly session_id: string }).session_id, s ?? 0, receivedAtMs);
    const replaced = before !== undefined && before.sessionId !== session.sessionId;
    const lost = replaced ? { lastSeenAtMs: before.lastSeenAtMs, reason: "session_replaced" } : null;
    shards.set(shardId, { session, guildIds: guildIdsOf(d), fullSinceMs: shards.get(shardId)?.fullSinceMs ?? null });
    spool.append(entriesOf({ type: "READY", d, shardId, session, receivedAtMs, lost }), { shardId, session });
    if (lost) {
      gaps += 1;
      logger.error({ shard: shardId, ...lost }, "The client began a new session: packets may be missing");
    }
  }

  /** The client was connected before we listened: its session has a name of ours. */
  function unknownShard(shardId: number): Shard {
    const shard = { session: sessionOf(`client-${clock.now()}`, 0, clock.now()), guildIds: [], fullSinceMs: null };
    shards.set(shardId, shard);
    return shard;
  }

  function accept(shard: Shard, packet: Packet & { t: string; s: number }, shardId: number): void {
    const receivedAtMs = clock.now();
    shard.session = { ...shard.session, seq: packet.s, lastSeenAtMs: receivedAtMs };
    const { session } = shard;
    if (!isForwarded(packet.t)) {
      spool.advance({ shardId, session });
      return;
    }
    receivedPackets += 1;
    if (!hasRoom(shard)) {
      shard.fullSinceMs ??= receivedAtMs;
      throttled("full", (omitted) => {
        logger.error(
          { ...spool.depth(), omitted },
          "The spool is full: packets of the client are lost until it has room",
        );
      });
      return;
    }
    const entries = [...entriesOf({ type: packet.t, d: packet.d, shardId, session, receivedAtMs, lost: null })];
    if (shard.fullSinceMs !== null) {
      const place = { sessionId: `${session.sessionId}-full`, shardId, seq: packet.s, receivedAtMs };
      entries.unshift(gapEntry(place, { sinceMs: shard.fullSinceMs, reason: "spool_full", guildIds: shard.guildIds }));
      shard.fullSinceMs = null;
      gaps += 1;
    }
    spool.append(entries, { shardId, session });
  }

  function hasRoom({ fullSinceMs }: Shard): boolean {
    const { items, bytes } = spool.depth();
    const share = fullSinceMs === null ? 1 : ROOM_AGAIN;
    return items < spoolLimit.maxItems * share && bytes < spoolLimit.maxBytes * share;
  }

  async function stopOnce(): Promise<void> {
    client.off("raw", receive);
    try {
      await spool.flush();
      await sender.stop(settings.drainTimeoutMs);
      await close();
      finished.resolve();
    } catch (error) {
      if (!isGatewayWorkerError(error)) {
        throw error;
      }
      finished.reject(error);
    }
  }

  sender.start();
  client.on("raw", receive);
  return {
    stats: () => ({
      receivedPackets,
      gaps,
      spool: spool.depth(),
      ingress: sender.stats(),
      deadLetters: deadLetters.count(),
    }),
    stop() {
      stopped ??= stopOnce();
      return stopped;
    },
    finished: finished.promise,
  };
}

/** No worker could resume it: Discord's session is the client's own. */
function sessionOf(sessionId: string, seq: number, lastSeenAtMs: number): StoredSession {
  return { sessionId, resumeUrl: "", seq, shardCount: 1, intents: UNKNOWN_INTENTS, lastSeenAtMs };
}
