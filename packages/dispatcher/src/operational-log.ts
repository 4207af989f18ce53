import { newId, type SqlQuery } from "@hookline/core";
import { type OperationalEvent, operationalEventRow } from "./operational-events.js";
import { isoTime } from "./sql/columns.js";
import { DELIVERY_NUMBER_DIGITS } from "./sql/publish-events.js";
import type { Statements } from "./sql/statements.js";

/** Publishes the dispatcher's own events with the transaction that makes them true. */
export type OperationalLog = (query: SqlQuery, events: readonly OperationalEvent[], nowMs: number) => Promise<void>;

export function createOperationalLog(options: {
  readonly statements: Statements;
  /** Notified of new deliveries. */
  readonly channel: string;
}): OperationalLog {
  return async (query, events, nowMs) => {
    if (events.length === 0) return;
    await options.statements.publishEvents(
      query,
      events.map((event) => operationalEventRow(event, nowMs)),
      {
        now: isoTime(nowMs),
        idPrefix: newId("dlv", nowMs).slice(0, -DELIVERY_NUMBER_DIGITS),
        leasedUntil: null,
        notifyChannel: options.channel,
      },
    );
  };
}
