/** Bots by their ids, for packets that do not say whether somebody is one. */
export interface KnownBots {
  add(userId: string): void;
  has(userId: string): boolean;
}

const MAX_REMEMBERED = 10_000;

/** Remembers the bots that other packets have shown; our own is known from the start, by the application's id. */
export function createKnownBots(applicationId: string): KnownBots {
  const remembered = new Set<string>();
  return {
    add(userId) {
      remembered.delete(userId);
      remembered.add(userId);
      if (remembered.size > MAX_REMEMBERED) {
        const oldest = remembered.values().next();
        if (!oldest.done) remembered.delete(oldest.value);
      }
    },
    has: (userId) => userId === applicationId || remembered.has(userId),
  };
}
