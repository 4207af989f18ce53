import { createHash } from "node:crypto";

const DEFAULTS = { seenBeforeNamed: 2, maxNames: 200, maxSeen: 2000 } as const;

/** Decides which statements a connection keeps prepared: the ones that come again and again, and not too many. */
export function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  const seen = new Map<string, number>();
  return (text) => {
    const name = names.get(text);
    if (name !== undefined || names.size >= DEFAULTS.maxNames) return name;
    const times = (seen.get(text) ?? 0) + 1;
    if (times <= DEFAULTS.seenBeforeNamed) {
      if (seen.size >= DEFAULTS.maxSeen) seen.clear();
      seen.set(text, times);
      return undefined;
    }
    seen.delete(text);
    const given = `hookline_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    names.set(text, given);
    return given;
  };
}
