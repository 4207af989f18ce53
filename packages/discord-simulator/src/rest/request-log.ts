/** One REST request that an application made. */
export interface RequestLogEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly method: string;
  /** With the query; tokens of interactions and webhooks are cut out. */
  readonly path: string;
  readonly status: number;
}

/** The last requests, oldest first. */
export interface RequestLog {
  add(entry: RequestLogEntry): void;
  list(): readonly RequestLogEntry[];
}

const KEPT = 2_000;

export function createRequestLog(): RequestLog {
  const entries: RequestLogEntry[] = [];
  return {
    add(entry) {
      entries.push({ ...entry, path: withoutToken(entry.path) });
      if (entries.length > KEPT) {
        entries.shift();
      }
    },
    list: () => [...entries],
  };
}

function withoutToken(path: string): string {
  return path.replace(/(\/(?:webhooks|interactions)\/\d+\/)[^/?]{20,}/, "$1…");
}
