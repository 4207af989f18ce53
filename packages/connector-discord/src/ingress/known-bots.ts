import type { SharedState } from "@hookline/core";

/** Bots by their ids, for packets that do not say whether somebody is one. */
export interface KnownBots {
  add(userId: string): Promise<void>;
  has(userId: string): boolean;
  /** Of our own application. */
  isOwn(userId: string): boolean;
}

const MAX_REMEMBERED = 10_000;
/** Accounts do not change their kind; a bot that says nothing for so long may have to show itself again. */
const TTL_SECONDS = 400 * 24 * 3600;

/** The key under which all processes find that an account is a bot. */
export function botKey(userId: string): string {
  return `bot:${userId}`;
}

/**
 * Bots that packets have shown, to any process; our own is known from the start, by the application's id. What this
 * process has seen it remembers, so that a bot which talks a lot is written once. Where bots are kept, our own is the
 * only one.
 */
export function createBotMemory({ applicationId, keepsBots }: { applicationId: string; keepsBots: boolean }) {
  const remembered = new Set<string>();

  function remember(userId: string): void {
    remembered.delete(userId);
    remembered.add(userId);
    if (remembered.size > MAX_REMEMBERED) {
      const oldest = remembered.values().next();
      if (!oldest.done) remembered.delete(oldest.value);
    }
  }

  const isOwn = (userId: string) => userId === applicationId;
  const has = (userId: string) => isOwn(userId) || (!keepsBots && remembered.has(userId));

  return {
    has,
    /** For one batch: `found` says which of its accounts other processes know as bots. */
    open(state: SharedState, found: readonly string[]): KnownBots {
      for (const userId of found) remember(userId);
      return {
        has,
        isOwn,
        async add(userId) {
          if (keepsBots || has(userId)) return;
          await state.put(botKey(userId), { value: "", ttlSeconds: TTL_SECONDS });
          remember(userId);
        },
      };
    },
  };
}
