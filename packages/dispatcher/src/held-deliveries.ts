import type { SqlQuery } from "@hookline/core";
import { jobOf } from "./jobs.js";
import type { Settings } from "./options.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";
import type { Worker } from "./worker.js";

/**
 * What waits outside the line for an endpoint: that may be much, so that little of it is moved before the caller is
 * answered. A sweep of any worker finds the rest, and what a failure leaves behind, so nothing here rejects.
 */
export interface HeldDeliveries {
  /** Has them delivered, now that the endpoint is active. */
  resume(endpointId: string): Promise<void>;
  /** Puts the first ones in line; those of an endpoint that is gone end there as dead. */
  release(endpointId: string): Promise<void>;
}

/** As many rows as one statement may change without anybody else waiting long for it. */
const RELEASE_BATCH = 500;

export function createHeldDeliveries(options: {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly worker: () => Worker | null;
}): HeldDeliveries {
  const { settings, query, statements, worker } = options;
  const { clock, logger } = settings;
  const fillsLane = settings.maxInFlightPerEndpoint + settings.maxWaitingPerEndpoint;

  const release = async (endpointId: string): Promise<void> => {
    const now = isoTime(clock.now());
    await statements.releaseHeld(query, { endpointId, limit: RELEASE_BATCH }, now);
    worker()?.wake();
  };

  const resume = async (endpointId: string): Promise<void> => {
    const current = worker();
    const leasedUntilMs = current?.leasedUntilMs() ?? null;
    // Without a worker here the others have to find them, which look at the line first.
    if (current === null || leasedUntilMs === null) return release(endpointId);
    const { rows } = await statements.claimSetAside(query, endpointId, {
      now: isoTime(clock.now()),
      leasedUntil: isoTime(leasedUntilMs),
      // One more than it can take in: a worker whose lane overflows comes back for the rest when there is room.
      limit: fillsLane + 1,
    });
    current.handOver(rows.map((row) => jobOf(row, leasedUntilMs)));
  };

  const logged = (work: Promise<void>, endpointId: string): Promise<void> =>
    work.catch((error: unknown) =>
      logger.error({ err: error, endpointId }, "what was held for an endpoint waits for the next sweep"),
    );

  return {
    resume: (endpointId) => logged(resume(endpointId), endpointId),
    release: (endpointId) => logged(release(endpointId), endpointId),
  };
}
