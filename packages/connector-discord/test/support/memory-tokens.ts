import type { LinkedRoleTokenStore, LinkedRoleTokens } from "../../src/index.js";

export interface MemoryTokens extends LinkedRoleTokenStore {
  size(): number;
  peek(): LinkedRoleTokens | undefined;
  peekRelease(): number | null;
  /** Others, who wait longer and fill a page of `released`, and whom somebody else works with. */
  occupy(ids: readonly string[]): void;
  free(): void;
  grant(at: Date): void;
}

/** One account's tokens, as the engine keeps them. */
export function createMemoryTokens(accountId: () => Promise<string>): MemoryTokens {
  let row: { tokens: LinkedRoleTokens; version: number; claimed: boolean } | null = null;
  let busy: readonly string[] = [];
  let granted: Date | null = null;
  let release: number | null = null;
  return {
    async save(_account, tokens, options) {
      release = options?.releaseAfterMs ?? null;
      row = { tokens, version: (row?.version ?? 0) + 1, claimed: false };
    },
    grantedAt: async () => granted,
    async claim({ discordId }) {
      if (busy.includes(discordId)) return { status: "busy" };
      if (row === null) return { status: "none" };
      if (row.claimed) return { status: "busy" };
      row.claimed = true;
      const releasedAt = release === null ? null : new Date(release);
      return { status: "claimed", tokens: row.tokens, version: row.version, releasedAt };
    },
    async keep(_account, { releasedAt }) {
      if (release === releasedAt.getTime()) release = null;
    },
    async refresh(_account, version, tokens) {
      if (row?.version !== version) return null;
      row = { ...row, tokens, version: version + 1 };
      return row.version;
    },
    async release(_account, version) {
      if (row?.version === version) row.claimed = false;
    },
    async remove(_account, version) {
      const fits = row?.version === version;
      if (fits) row = null;
      return fits;
    },
    async released(_tenantId, options) {
      const listed = row === null ? busy : [...busy, await accountId()];
      return listed.filter((id) => !options?.except.includes(id)).slice(0, Math.max(1, busy.length));
    },
    occupy(ids) {
      busy = ids;
    },
    size: () => (row === null ? 0 : 1),
    peek: () => row?.tokens,
    peekRelease: () => release,
    free() {
      if (row) row.claimed = false;
    },
    grant(at) {
      granted = at;
    },
  };
}
