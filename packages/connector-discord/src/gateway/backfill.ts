import type { Clock, Logger } from "@hookline/core";
import { snowflakeAt, snowflakeTimeMs } from "../snowflake.js";
import { wait } from "../wait.js";
import { backoffDelayMs } from "./backoff.js";
import type { ReceivedPacket } from "./connection.js";
import { guildIdsOf, messageEntry, type PacketPlace } from "./packet.js";
import type { LostSession } from "./session-memory.js";
import type { Spool } from "./spool.js";

/** The part of `REST` of `@discordjs/rest` that is used; it keeps Discord's rate limits. */
export interface BackfillRest {
  get(
    route: `/${string}`,
    options?: { readonly query?: URLSearchParams; readonly signal?: AbortSignal },
  ): Promise<unknown>;
}

export interface MissedTime {
  readonly place: PacketPlace;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly guildIds: readonly string[];
}

/** Asks Discord for the messages of a time that packets may be missing from, and spools them as if they had come. */
export interface Backfill {
  /** One gap after another; what fails is logged, since the gap itself was told. */
  add(missed: MissedTime): void;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

export interface BackfillOptions {
  readonly rest: BackfillRest;
  readonly spool: Spool;
  readonly maxMessagesPerChannel: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
}

const PAGE = 100;
const RETRY_BACKOFF = { minMs: 1_000, maxMs: 30_000 } as const;
/** What ended the session is often an outage of all of Discord, and the tries of `REST` are over within moments. */
const RETRY_FOR_MS = 600_000;
/** Discord's clock is another one; what the API has already, it knows by the message's id. */
const CLOCK_SKEW_MS = 5_000;
/** Text, voice with its chat, announcements, stages with theirs. Threads are not looked through. */
const CHANNELS_WITH_MESSAGES: ReadonlySet<unknown> = new Set([0, 2, 5, 13]);

interface Message {
  readonly id: string;
}

interface Filled {
  readonly found: number;
  /** False where messages of the channel were left out. */
  readonly isWhole: boolean;
}

export function createBackfill(options: BackfillOptions): Backfill {
  const { rest, spool, maxMessagesPerChannel, clock, logger } = options;
  const abort = new AbortController();
  let work: Promise<void> = Promise.resolve();
  let retryUntilMs = 0;

  async function get(route: `/${string}`, query?: URLSearchParams): Promise<unknown> {
    for (let failures = 1; ; failures += 1) {
      try {
        // A signal for each request: the library leaves a listener on it.
        return await rest.get(route, { signal: AbortSignal.any([abort.signal]), ...(query ? { query } : {}) });
      } catch (error) {
        if (abort.signal.aborted || !mayPass(error) || clock.now() >= retryUntilMs) {
          throw error;
        }
        const delayMs = backoffDelayMs(failures, RETRY_BACKOFF, options.random);
        logger.warn({ reason: reasonOf(error), failures, delayMs }, "Missed messages can't be read yet; trying again");
        await wait(clock, delayMs, abort.signal);
      }
    }
  }

  async function fill(missed: MissedTime): Promise<void> {
    retryUntilMs = clock.now() + RETRY_FOR_MS;
    let found = 0;
    let isWhole = true;
    for (const guildId of missed.guildIds) {
      const channels = await channelsOf(guildId);
      isWhole &&= channels !== null;
      for (const channelId of channels ?? []) {
        try {
          const filled = await fillChannel({ guildId, channelId, missed });
          found += filled.found;
          isWhole &&= filled.isWhole;
        } catch (error) {
          if (abort.signal.aborted) {
            return;
          }
          // Such as a channel whose history the bot may not read.
          logger.warn(
            { guildId, channelId, reason: reasonOf(error) },
            "The missed messages of a channel can't be read",
          );
          isWhole = false;
        }
      }
    }
    const result = { shard: missed.place.shardId, found };
    if (isWhole) {
      logger.info(result, "Read the messages that were missed");
    } else {
      logger.warn(result, "Read some of the messages that were missed, and not all");
    }
  }

  /** Null where they can't be read. */
  async function channelsOf(guildId: string): Promise<readonly string[] | null> {
    try {
      const channels = (await get(`/guilds/${guildId}/channels`)) as readonly {
        readonly id: string;
        readonly type: number;
      }[];
      return channels.filter(({ type }) => CHANNELS_WITH_MESSAGES.has(type)).map(({ id }) => id);
    } catch (error) {
      if (!abort.signal.aborted) {
        logger.warn({ guildId, reason: reasonOf(error) }, "The channels of a server can't be read");
      }
      return null;
    }
  }

  async function fillChannel(where: { guildId: string; channelId: string; missed: MissedTime }): Promise<Filled> {
    const { guildId, channelId, missed } = where;
    let after = snowflakeAt(missed.sinceMs - CLOCK_SKEW_MS);
    let found = 0;
    for (;;) {
      if (spool.isFull()) {
        logger.warn({ guildId, channelId, found }, "The spool is full: missed messages of a channel are not read");
        return { found, isWhole: false };
      }
      const query = new URLSearchParams({ after, limit: String(PAGE) });
      const page = (await get(`/channels/${channelId}/messages`, query)) as Message[];
      const oldestFirst = page.toSorted(
        (a, b) => snowflakeTimeMs(a.id) - snowflakeTimeMs(b.id) || (a.id < b.id ? -1 : 1),
      );
      const inTime = oldestFirst.filter(({ id }) => snowflakeTimeMs(id) <= missed.untilMs + CLOCK_SKEW_MS);
      const taken = inTime.slice(0, maxMessagesPerChannel - found);
      if (abort.signal.aborted) {
        return { found, isWhole: false };
      }
      spool.append(
        taken.map((message) => messageEntry({ ...message, guild_id: guildId }, message.id, missed.place)),
        null,
      );
      found += taken.length;
      const last = oldestFirst.at(-1);
      if (taken.length < inTime.length) {
        logger.warn({ guildId, channelId, found }, "More messages were missed than are read of one channel");
        return { found, isWhole: false };
      }
      if (last === undefined || page.length < PAGE || inTime.length < page.length) {
        return { found, isWhole: true };
      }
      after = last.id;
    }
  }

  return {
    add(missed) {
      work = work.then(() => (abort.signal.aborted ? undefined : fill(missed)));
    },
    async stop() {
      abort.abort();
      await work;
    },
  };
}

/** The time between the session that was lost and the READY of its successor. */
export function missedTime({ d, shardId, session, receivedAtMs }: ReceivedPacket, lost: LostSession): MissedTime {
  return {
    place: { shardId, sessionId: session.sessionId, seq: 0, receivedAtMs },
    sinceMs: lost.lastSeenAtMs,
    untilMs: receivedAtMs,
    guildIds: guildIdsOf(d),
  };
}

/** No answer, or one that may be another next time. */
function mayPass(error: unknown): boolean {
  const status = error instanceof Error && "status" in error ? Number(error.status) : Number.NaN;
  return Number.isNaN(status) || status >= 500;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
