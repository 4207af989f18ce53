import type { SharedState, SharedValue } from "@hookline/core";

/** What processes share, kept in memory; two apps that get the same one are two processes on one database. */
export function createKeptState(): SharedState {
  const entries = new Map<string, SharedValue>();
  return {
    get: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const entry = entries.get(key);
          return entry === undefined ? [] : [[key, entry] as const];
        }),
      ),
    async put(key, { value, ifVersion }) {
      const version = entries.get(key)?.version ?? 0;
      if (ifVersion !== undefined && ifVersion !== version) return null;
      entries.set(key, { value, version: version + 1 });
      return version + 1;
    },
  };
}
