import type { Clock, Logger, SqlQuery } from "@hookline/core";
import { isDatabaseError } from "@hookline/postgres";
import type { AttemptOutcome } from "./attempt-outcome.js";
import { createBatches } from "./batches.js";
import type { DeliveryOutcomes } from "./delivery-run.js";
import type { EndpointProtection } from "./endpoint-protection.js";
import type { HookCalls } from "./hooks.js";
import type { Job } from "./job.js";
import { isoTime } from "./sql/columns.js";
import type { DiscardedRow } from "./sql/discard-deliveries.js";
import type { GivenBackRow } from "./sql/give-back-deliveries.js";
import type { AttemptRow, RecordedRow } from "./sql/record-attempts.js";
import type { ReturnedProbe } from "./sql/return-probes.js";
import type { Statements } from "./sql/statements.js";
import { createTurns } from "./turns.js";

export interface Recorder extends DeliveryOutcomes {
  flush(signal: AbortSignal): Promise<void>;
  /** From now on what cannot be written is left to the leases' running out. */
  end(): void;
  /** Outcomes that are not written yet. */
  readonly pending: number;
  /** Since when outcomes wait for a write that does not succeed; null when none does. */
  readonly unwrittenSinceMs: number | null;
  /** Has delivered what waits for a turn that nobody passed on. */
  sweepTurns(): Promise<void>;
}

interface Recording {
  readonly outcome: AttemptOutcome;
  /** Null: nobody waits. */
  readonly done: (() => void) | null;
}

/** Writes outcomes in batches, each batch in one statement. */
export function createRecorder(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A delivery is in line for that time. */
  readonly onRetry: (atMs: number) => void;
  /** A delivery that waited for its turn is in line. */
  readonly onTurn: () => void;
  readonly hooks: HookCalls;
  readonly protection: EndpointProtection;
}): Recorder {
  const { query, statements, clock, logger, hooks, protection } = options;
  const { consequences } = protection;

  const turns = createTurns(options);

  const passTurns = (rows: readonly RecordedRow[]): void => {
    for (const { endpoint_id: endpointId, ordering_key: orderingKey, ended } of rows) {
      if (endpointId !== null && orderingKey !== null) turns.pass({ endpointId, orderingKey, ended });
    }
  };

  const recordRows = async (outcomes: readonly AttemptOutcome[]): Promise<readonly RecordedRow[]> => {
    // Most batches are successes of healthy endpoints, which need one statement and no transaction.
    if (!outcomes.some(consequences.hasAny)) {
      return statements.recordAttempts(
        query,
        outcomes.map(({ row }) => row),
      );
    }
    const { rows, changes, events } = await consequences.record(outcomes, clock.now());
    protection.heed(changes);
    hooks.operational(events);
    return rows;
  };

  const write = async (outcomes: readonly AttemptOutcome[]): Promise<void> => {
    const kept = await recordRows(outcomes);
    passTurns(kept);
    const keptLeases = new Map(kept.map((row) => [row.id, row.lease_no]));
    for (const outcome of outcomes) {
      const { deliveryId, leaseNo } = outcome.row;
      if (!saysSomething(outcome)) returnProbe(outcome.job, clock.now());
      if (keptLeases.get(deliveryId) === leaseNo) hooks.attempt(outcome);
      else logger.warn({ deliveryId, leaseNo }, "the lease was lost: the attempt was made and is not recorded");
    }
  };

  const writeAlone = async (outcome: AttemptOutcome): Promise<void> => {
    const { deliveryId } = outcome.row;
    try {
      await write([outcome]);
    } catch (error) {
      if (!isAboutValues(error)) throw error;
      logger.error({ err: error, deliveryId }, "an outcome cannot be stored; only its ending is kept");
      await write([{ ...outcome, row: withoutDetails(outcome.row), endpoint: null }]).catch((again: unknown) => {
        if (!isAboutValues(again)) throw again;
        logger.error({ err: again, deliveryId }, "nor can its ending: it is left to its lease");
      });
    }
  };

  const attempts = createBatches<Recording>({
    what: "attempts",
    clock,
    logger,
    async write(items) {
      try {
        await write(items.map(({ outcome }) => outcome));
      } catch (error) {
        if (!isAboutValues(error)) throw error;
        // One row in it is why: the others must not wait for it.
        for (const { outcome } of items) await writeAlone(outcome);
      }
      for (const { outcome, done } of items) {
        const { row } = outcome;
        done?.();
        if (row.nextAt !== null) options.onRetry(Date.parse(row.nextAt));
      }
    },
    onGivenUp(items) {
      for (const { done } of items) done?.();
    },
  });

  const probeOf = ({ isProbe, recipient, leasedUntilMs }: Job, nextAtMs: number): readonly ReturnedProbe[] => {
    if (!isProbe || recipient.kind === "direct") return [];
    const { endpointId } = recipient;
    return [{ endpointId, leasedUntil: isoTime(leasedUntilMs), nextAt: isoTime(nextAtMs) }];
  };

  const givenBack = createBatches<GivenBackRow & { readonly probe: readonly ReturnedProbe[] }>({
    what: "leases given back",
    clock,
    logger,
    async write(rows) {
      const probes = rows.flatMap(({ probe }) => probe);
      if (probes.length > 0) await statements.returnProbes(query, probes);
      const given = await statements.giveBackDeliveries(query, rows);
      for (const { state, nextAt } of rows) if (state === 0) options.onRetry(Date.parse(nextAt));
      const setAside = given.flatMap(({ set_aside: endpointId }) => endpointId ?? []);
      const outside = [...setAside, ...probes.map(({ endpointId }) => endpointId)];
      if (outside.length > 0) protection.lookAfter(new Set(outside));
      for (const { endpoint_id: endpointId, passed_key: orderingKey } of given) {
        if (endpointId !== null && orderingKey !== null) turns.pass({ endpointId, orderingKey, ended: false });
      }
    },
  });

  const returnedProbes = createBatches<ReturnedProbe>({
    what: "probes that were not made",
    clock,
    logger,
    async write(probes) {
      await statements.returnProbes(query, probes);
      protection.lookAfter(new Set(probes.map(({ endpointId }) => endpointId)));
    },
  });

  const returnProbe = (job: Job, nextAtMs: number): void => {
    for (const probe of probeOf(job, nextAtMs)) returnedProbes.add(probe);
  };

  const discarded = createBatches<DiscardedRow>({
    what: "deliveries that nobody wants",
    clock,
    logger,
    async write(rows) {
      passTurns(await statements.discardDeliveries(query, rows));
    },
  });

  return {
    record: (outcome) => attempts.add({ outcome, done: null }, isPlain(outcome)),
    recordAndWait: (outcome) => new Promise((done) => attempts.add({ outcome, done })),
    giveBack(job, { state, nextAtMs }) {
      const { deliveryId, leaseNo } = job;
      givenBack.add({ deliveryId, leaseNo, state, nextAt: isoTime(nextAtMs), probe: probeOf(job, nextAtMs) });
    },
    returnProbe,
    passTurns,
    discard(job) {
      discarded.add({ deliveryId: job.deliveryId, leaseNo: job.leaseNo });
      returnProbe(job, clock.now());
    },
    async flush(signal) {
      await Promise.all([attempts.flush(signal), givenBack.flush(signal), discarded.flush(signal)]);
      await Promise.all([returnedProbes.flush(signal), turns.flush(signal)]);
    },
    end() {
      attempts.end();
      givenBack.end();
      turns.end();
      discarded.end();
      returnedProbes.end();
    },
    sweepTurns: turns.sweep,
    get unwrittenSinceMs() {
      return attempts.unwrittenSinceMs;
    },
    get pending() {
      return attempts.pending + givenBack.pending + discarded.pending + returnedProbes.pending + turns.pending;
    },
  };
}

/** Whether Postgres refuses what is written (data, constraints, its own limits), so that trying again changes nothing. */
function isAboutValues(error: unknown): boolean {
  if (!isDatabaseError(error)) return false;
  return error.code === "invalid_parameter" || /^(22|23|54)/.test(error.sqlState ?? "");
}

/** Whether the attempt says how its endpoint does, which a probe is made for. */
function saysSomething({ endpoint }: AttemptOutcome): boolean {
  return endpoint !== null && (endpoint.signal !== "none" || endpoint.isGone);
}

/** A success that nothing waits for: nobody misses its record for some milliseconds. */
function isPlain({ row, endpoint }: AttemptOutcome): boolean {
  return row.ending === "delivered" && endpoint !== null && endpoint.policy.ordering === undefined;
}

/** What can always be stored. What was not delivered ends here: another attempt would come to the same outcome. */
function withoutDetails(row: AttemptRow): AttemptRow {
  const isDelivered = row.outcome === "delivered";
  return {
    ...row,
    outcome: isDelivered ? "delivered" : "dead",
    ending: isDelivered ? "delivered" : "refused",
    reason: "What the attempt came to could not be stored.",
    requestHeaders: null,
    responseBody: null,
    phases: null,
    nextAt: null,
    entity: null,
    state: null,
  };
}
