import type { SqlQuery } from "@hookline/core";
import { firstDeliveryIdAt } from "./delivery-search.js";
import type { Settings } from "./options.js";
import { isoTime } from "./sql/columns.js";
import type { OldBatch, OldRows } from "./sql/old-rows.js";
import type { Statements } from "./sql/statements.js";

/** How long what is finished is kept; what is absent is kept for ever. What is still to be delivered is never removed. */
export interface RetentionOptions {
  /** Of events and direct sends: their data, and what was answered to them. They stay, without. */
  readonly payloadMs?: number;
  /** Of deliveries with their attempts, counted from the last attempt. */
  readonly attemptMs?: number;
  /** Of events and direct sends as such, with their deliveries; at least `idempotencyWindowMs`. */
  readonly eventMs?: number;
}

/** As many rows as one statement may change without anybody else waiting long for it. */
const BATCH = 500;

/** One pass over what is old, step by step: `step` answers false at its end, and the next one begins anew. */
export function createRetention(options: {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
}): { step(): Promise<boolean> } {
  const { settings, query, statements } = options;
  const { clock, retention } = settings;

  /** Goes through rows in the order in which they were stored; a finished pass answers false and starts over. */
  const passOver = (
    keptMs: number | undefined,
    remove: (rows: OldRows) => Promise<readonly OldBatch[]>,
  ): (() => Promise<boolean>) => {
    let after: OldRows["after"] = null;
    return async () => {
      if (keptMs === undefined) return false;
      const [batch] = await remove({ before: isoTime(clock.now() - keptMs), after, limit: BATCH });
      const last =
        batch?.last_at != null && batch.last_id !== null ? { storedAt: batch.last_at, id: batch.last_id } : null;
      after = batch?.count === BATCH ? last : null;
      return after !== null;
    };
  };

  let afterDelivery = "";
  const passOverDeliveries = async (): Promise<boolean> => {
    if (retention.attemptMs === undefined) return false;
    const beforeMs = clock.now() - retention.attemptMs;
    const [batch] = await statements.removeOldAttempts(query, {
      after: afterDelivery,
      beforeId: firstDeliveryIdAt(beforeMs),
      before: isoTime(beforeMs),
      limit: BATCH,
    });
    afterDelivery = batch?.count === BATCH ? (batch.last ?? "") : "";
    return afterDelivery !== "";
  };

  const empty = (table: "events" | "messages") => (rows: OldRows) =>
    statements.emptyOld(query, table, { ...rows, now: isoTime(clock.now()) });
  const remove = (table: "events" | "messages", isExpunged: boolean) => (rows: OldRows) =>
    statements.removeOld(query, table, { ...rows, isExpunged });
  const { payloadMs, eventMs } = retention;
  const passes = [
    passOverDeliveries,
    passOver(eventMs, remove("events", false)),
    passOver(eventMs, remove("events", true)),
    passOver(eventMs, remove("messages", false)),
    passOver(eventMs, remove("messages", true)),
    passOver(payloadMs, empty("events")),
    passOver(payloadMs, empty("messages")),
  ];
  let current = 0;

  return {
    async step() {
      const hasMore = await passes[current]?.();
      if (!hasMore) current = (current + 1) % passes.length;
      return hasMore === true || current !== 0;
    },
  };
}
