import type { SqlQuery } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { firstDeliveryIdAt } from "./delivery-search.js";
import type { Settings } from "./options.js";
import { isoTime } from "./sql/columns.js";
import type { BodyTable, OldRow, OldRows } from "./sql/old-rows.js";
import type { Statements } from "./sql/statements.js";

/** How long what is finished is kept; what is absent is kept for ever. What is still to be delivered is never removed. */
export interface RetentionOptions {
  /** Of events and direct sends: their data, and what was answered to them. They stay, without. */
  readonly payloadMs?: number;
  /** Of deliveries with their attempts, counted from the last attempt, and of recoveries that have ended. */
  readonly attemptMs?: number;
  /** Of events and direct sends as such, with their deliveries; at least `idempotencyWindowMs`. */
  readonly eventMs?: number;
}

/** As many rows as one statement may change without anybody else waiting long for it. */
const BATCH = 500;

/** What the passes leave dead rows in. */
const CLEARED = ["events", "messages", "attempts"] as const;

/**
 * One pass over what is old, step by step: `step` answers false at its end, and the next one begins anew. Where no
 * autovacuum runs, a pass that has cleared something ends with a vacuum.
 */
export function createRetention(options: {
  readonly settings: Settings;
  readonly database: Database;
  readonly statements: Statements;
}): { step(): Promise<boolean> } {
  const { settings, database, statements } = options;
  const { clock, retention } = settings;
  let hasCleared = false;

  /** Goes through rows in the order in which they were stored; a finished pass answers false and starts over. */
  const passOver = (
    keptMs: number | undefined,
    { table, isExpunged }: { readonly table: BodyTable; readonly isExpunged: boolean },
    clear: (query: SqlQuery, ids: readonly string[]) => Promise<unknown>,
  ): (() => Promise<boolean>) => {
    let after: OldRows["after"] = null;
    const clearBatch = (before: string): Promise<readonly OldRow[]> =>
      database.transaction(async ({ query }) => {
        const rows = await statements.lockOld(query, table, { before, after, limit: BATCH, isExpunged });
        if (rows.length > 0) {
          hasCleared = true;
          await clear(
            query,
            rows.map((row) => row.id),
          );
        }
        return rows;
      });
    return async () => {
      if (keptMs === undefined) return false;
      const rows = await clearBatch(isoTime(clock.now() - keptMs));
      const last = rows.length === BATCH ? rows.at(-1) : undefined;
      after = last === undefined ? null : { storedAt: last.stored_at, id: last.id };
      return after !== null;
    };
  };

  let afterDelivery = "";
  const passOverDeliveries = async (): Promise<boolean> => {
    if (retention.attemptMs === undefined) return false;
    const beforeMs = clock.now() - retention.attemptMs;
    const [batch] = await statements.removeOldAttempts(database.query, {
      after: afterDelivery,
      beforeId: firstDeliveryIdAt(beforeMs),
      before: isoTime(beforeMs),
      limit: BATCH,
    });
    hasCleared ||= (batch?.count ?? 0) > 0;
    afterDelivery = batch?.count === BATCH ? (batch.last ?? "") : "";
    return afterDelivery !== "";
  };

  const passOverRecoveries = async (): Promise<boolean> => {
    if (retention.attemptMs === undefined) return false;
    const before = isoTime(clock.now() - retention.attemptMs);
    return (await statements.removeOldRecoveries(database.query, before, BATCH)).length === BATCH;
  };
  /** Whatever is to be kept: nobody can read them any more. */
  const passOverStates = async (): Promise<boolean> =>
    (await statements.removeOrphanStates(database.query, BATCH)).length === BATCH;

  const { payloadMs, eventMs } = retention;
  const passToEmpty = (table: BodyTable) =>
    passOver(payloadMs, { table, isExpunged: false }, (query, ids) =>
      statements.emptyOld(query, table, { ids, now: isoTime(clock.now()) }),
    );
  const passToRemove = (table: BodyTable, isExpunged: boolean) =>
    passOver(eventMs, { table, isExpunged }, (query, ids) => statements.removeOld(query, table, ids));
  const passes = [
    passOverDeliveries,
    passOverRecoveries,
    passOverStates,
    passToRemove("events", false),
    passToRemove("events", true),
    passToRemove("messages", false),
    passToRemove("messages", true),
    passToEmpty("events"),
    passToEmpty("messages"),
  ];
  let current = 0;

  return {
    async step() {
      const hasMore = await passes[current]?.();
      if (hasMore) return true;
      current = (current + 1) % passes.length;
      if (current !== 0) return true;
      if (hasCleared && database.kind === "pglite") {
        for (const table of CLEARED) await statements.vacuumTable(database.query, table);
      }
      hasCleared = false;
      return false;
    },
  };
}
