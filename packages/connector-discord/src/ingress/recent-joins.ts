import type { SharedState } from "@hookline/core";

/** Tells a repeated GUILD_MEMBER_ADD from a new join. */
export interface RecentJoins {
  /** The moment that stands for this join: its own, or that of one just before or after it. */
  momentOf(guildId: string, userId: string, joinedAtMs: number): Promise<number>;
}

export const JOIN_DEFAULTS = {
  /** Discord sends the second one about 400 ms later; nobody leaves and joins again that fast. */
  windowMs: 10_000,
  /** Longer than a packet may wait in a worker's spool and come again. */
  ttlSeconds: 7 * 24 * 3600,
} as const satisfies Record<string, number>;

/** The key under which all processes find a member's last join. */
export function joinKey(guildId: string, userId: string): string {
  return `join:${guildId}:${userId}`;
}

/**
 * Two packets of one join carry different times, so a key made of the time alone would count it twice. Times are
 * rounded to a window, and the last join of each member is shared by all processes, for those that fall on either side
 * of a window's edge. `found` holds what is shared of the members in one batch, by {@link joinKey}.
 */
export function openRecentJoins(state: SharedState, found: ReadonlyMap<string, string>): RecentJoins {
  const joins = new Map(found);

  return {
    async momentOf(guildId, userId, joinedAtMs) {
      const key = joinKey(guildId, userId);
      const [knownAtMs = Number.NaN, knownMoment = Number.NaN] = (joins.get(key) ?? "").split(",").map(Number);
      if (Math.abs(knownAtMs - joinedAtMs) < JOIN_DEFAULTS.windowMs) return knownMoment;
      const moment = Math.floor(joinedAtMs / JOIN_DEFAULTS.windowMs) * JOIN_DEFAULTS.windowMs;
      const value = `${joinedAtMs},${moment}`;
      await state.put(key, { value, ttlSeconds: JOIN_DEFAULTS.ttlSeconds });
      joins.set(key, value);
      return moment;
    },
  };
}
