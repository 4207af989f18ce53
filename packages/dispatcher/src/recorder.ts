import type { Clock, Logger, SqlQuery } from "@hookline/core";
import { createBatches } from "./batches.js";
import type { DeliveryOutcomes } from "./delivery-run.js";
import { isoTime } from "./sql/columns.js";
import type { GivenBackRow } from "./sql/give-back-deliveries.js";
import type { AttemptRow } from "./sql/record-attempts.js";
import type { Statements } from "./sql/statements.js";

export interface Recorder extends DeliveryOutcomes {
  flush(signal: AbortSignal): Promise<void>;
  /** From now on what cannot be written is left to the leases' running out. */
  end(): void;
  /** Outcomes that are not written yet. */
  readonly pending: number;
}

interface Recording {
  readonly row: AttemptRow;
  readonly done: () => void;
}

/** Writes outcomes in batches, each batch in one statement. */
export function createRecorder(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An attempt is to be made again at that time. */
  readonly onRetry: (atMs: number) => void;
}): Recorder {
  const { query, statements, clock, logger } = options;

  const attempts = createBatches<Recording>({
    what: "attempts",
    clock,
    logger,
    async write(items) {
      const rows = items.map(({ row }) => row);
      const kept = await statements.recordAttempts(query, rows, isoTime(clock.now()));
      if (kept.length < rows.length) {
        const keptIds = new Set(kept.map(({ id }) => id));
        for (const { deliveryId, leaseNo } of rows) {
          if (keptIds.has(deliveryId)) continue;
          logger.warn({ deliveryId, leaseNo }, "the lease was lost: the attempt was made and is not recorded");
        }
      }
      for (const { row, done } of items) {
        done();
        if (row.nextAt !== null) options.onRetry(Date.parse(row.nextAt));
      }
    },
    onGivenUp(items) {
      for (const { done } of items) done();
    },
  });

  const givenBack = createBatches<GivenBackRow>({
    what: "leases given back",
    clock,
    logger,
    async write(rows) {
      await statements.giveBackDeliveries(query, rows);
    },
  });

  return {
    record: (row) => new Promise((done) => attempts.add({ row, done })),
    giveBack: (row) => {
      givenBack.add(row);
      options.onRetry(Date.parse(row.nextAt));
    },
    async flush(signal) {
      await Promise.all([attempts.flush(signal), givenBack.flush(signal)]);
    },
    end() {
      attempts.end();
      givenBack.end();
    },
    get pending() {
      return attempts.pending + givenBack.pending;
    },
  };
}
