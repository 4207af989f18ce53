import type { Clock, Logger, SqlQuery } from "@hookline/core";
import type { Job } from "./job.js";
import { createKeyedLock } from "./keyed-lock.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";

/** The state of one entity, which no other attempt reads or leaves until it is released. */
export interface HeldEntity {
  readonly state: unknown;
  release(): Promise<void>;
}

export interface EntityLeases {
  /** Waits for its turn as long as `mayWait`; null when that ended first. */
  take(entity: {
    readonly endpointId: string;
    readonly entity: string;
    readonly job: Job;
    readonly mayWait: () => boolean;
  }): Promise<HeldEntity | null>;
}

/** Between two looks at an entity that another process has. Only one of those that wait here looks. */
const BUSY_MS = 50;

/**
 * One attempt about an entity after another: within this process in the order of asking, between processes by a lease
 * in the row of the state. That one ends with the delivery's own, so a crash needs no clearing up.
 */
export function createEntityLeases(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
}): EntityLeases {
  const { query, statements, clock, logger } = options;
  const locks = createKeyedLock();

  return {
    async take({ endpointId, entity, job, mayWait }) {
      const taken = { endpointId, entity, holder: `${job.deliveryId} ${job.leaseNo}` };
      const until = isoTime(job.leasedUntilMs);
      const letNextIn = await locks.acquire(`${endpointId} ${entity}`);
      const release = async (): Promise<void> => {
        try {
          await statements.releaseEntity(query, taken);
        } catch (error) {
          logger.error({ err: error, deliveryId: job.deliveryId }, "an entity is free again when its lease runs out");
        } finally {
          letNextIn();
        }
      };
      try {
        while (mayWait()) {
          const [row] = await statements.takeEntity(query, taken, { now: isoTime(clock.now()), until });
          if (row !== undefined) return { state: JSON.parse(row.state), release };
          await new Promise<void>((resolve) => void clock.setTimer(resolve, BUSY_MS));
        }
      } catch (error) {
        letNextIn();
        throw error;
      }
      letNextIn();
      return null;
    },
  };
}
