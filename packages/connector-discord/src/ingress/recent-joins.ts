/** Tells a repeated GUILD_MEMBER_ADD from a new join. */
export interface RecentJoins {
  /** The moment that stands for this join: its own, or that of one just before or after it. */
  momentOf(guildId: string, userId: string, joinedAtMs: number): number;
}

export const JOIN_DEFAULTS = {
  /** Discord sends the second one about 400 ms later; nobody leaves and joins again that fast. */
  windowMs: 10_000,
  maxRemembered: 10_000,
} as const satisfies Record<string, number>;

/**
 * Two packets of one join carry different times, so a key made of the time alone would count it twice. Times are
 * rounded to a window, which all processes do alike, and the joins of the last moments are remembered for those that
 * fall on either side of a window's edge.
 */
export function createRecentJoins(): RecentJoins {
  const remembered = new Map<string, { readonly joinedAtMs: number; readonly moment: number }>();

  return {
    momentOf(guildId, userId, joinedAtMs) {
      const key = `${guildId}:${userId}`;
      const known = remembered.get(key);
      if (known !== undefined && Math.abs(known.joinedAtMs - joinedAtMs) < JOIN_DEFAULTS.windowMs) return known.moment;
      const moment = Math.floor(joinedAtMs / JOIN_DEFAULTS.windowMs) * JOIN_DEFAULTS.windowMs;
      remembered.delete(key);
      remembered.set(key, { joinedAtMs, moment });
      if (remembered.size > JOIN_DEFAULTS.maxRemembered) {
        const oldest = remembered.keys().next();
        if (!oldest.done) remembered.delete(oldest.value);
      }
      return moment;
    },
  };
}
