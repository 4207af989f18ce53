/** As often as Postgres's own WAL writer. */
const INTERVAL_MS = 200;

/** Nothing when all of the log is on the disk; else a record whose commit waits until it is. */
const FLUSH = `select pg_logical_emit_message(true, 'hookline', '') from set_config('synchronous_commit', 'on', true)
  where pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()`;

export interface WalWriter {
  /** Something ran: what it committed asynchronously is on the disk soon. */
  noteRun(): void;
  stop(): void;
}

/**
 * What Postgres's WAL writer does, which PGlite has none of: a commit under `synchronous_commit = off` would stay in
 * memory until the next synchronous one, however long that takes.
 */
export function createWalWriter(options: {
  readonly isInTransaction: () => boolean;
  readonly run: (text: string) => Promise<unknown>;
}): WalWriter {
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    timer = undefined;
    try {
      if (options.isInTransaction()) arm();
      else await options.run(FLUSH);
    } catch {
      // A log that can't be written fails the next synchronous commit too, which says so to whoever waits for it.
    }
  }

  function arm(): void {
    timer ??= setTimeout(flush, INTERVAL_MS);
  }

  return {
    noteRun: arm,
    stop() {
      clearTimeout(timer);
    },
  };
}
