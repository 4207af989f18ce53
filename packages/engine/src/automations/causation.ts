import type { Outbox, OutboxOptions, Published, SqlQuery, Transaction } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import type { Store } from "../storage/store.js";

/** Tells a source how many automations stand behind a request; whoever sets it can only end a chain sooner. */
export const AUTOMATION_DEPTH_HEADER = "x-hookline-automation-depth";

/** Knows how many automations stand behind an event, one having caused the next. */
export interface Causation {
  /** 0 for an event that no automation has published. */
  depthOf(query: SqlQuery, eventId: string): Promise<number>;
  /** From now on events that {@link outbox} publishes in this transaction are of this depth. */
  mark(transaction: Transaction, depth: number): void;
  /** What this transaction was marked with; 0 without. */
  depthIn(transaction: Transaction): number;
  /** The given outbox, with a record of what is published in a step's transaction. */
  readonly outbox: Outbox;
}

export function createCausation({ schema, clock }: Store, outbox: Outbox): Causation {
  const depths = new WeakMap<Transaction, number>();

  const record = async ({ transaction }: OutboxOptions, published: readonly Published[]): Promise<void> => {
    const depth = transaction && depths.get(transaction);
    const ids = published.filter(({ duplicate }) => !duplicate).map(({ id }) => id);
    if (depth === undefined || ids.length === 0) return;
    await transaction?.query(
      `insert into "${schema}".automation_events (event_id, depth, published_at)
       select id, $2::integer, $3::timestamptz from unnest($1::text[]) as published (id)
       on conflict (event_id) do nothing`,
      [ids, depth, new Date(clock.now())],
    );
  };

  return {
    async depthOf(query, eventId) {
      const [row] = await query<{ readonly depth: number }>(
        `select depth from "${schema}".automation_events where event_id = $1`,
        [eventId],
      );
      return row?.depth ?? 0;
    },

    mark(transaction, depth) {
      depths.set(transaction, depth);
    },

    depthIn: (transaction) => depths.get(transaction) ?? 0,

    outbox: {
      async publish(event, options = {}) {
        const published = await outbox.publish(event, options);
        await record(options, [published]);
        return published;
      },
      async publishMany(events, options = {}) {
        const published = await outbox.publishMany(events, options);
        await record(options, published);
        return published;
      },
      async publishEach(events, options = {}) {
        const outcomes = await outbox.publishEach(events, options);
        await record(
          options,
          outcomes.flatMap((outcome) => (outcome.status === "published" ? [outcome] : [])),
        );
        return outcomes;
      },
      send: (message, options) => outbox.send(message, options),
      subscribe: (subscription, options) => outbox.subscribe(subscription, options),
      unsubscribe: (subscription, options) => outbox.unsubscribe(subscription, options),
    },
  };
}

/** How many automations a request says to stand behind it; 0 for what is no such number. */
export function depthOfRequest(headers: Headers): number {
  const said = headers.get(AUTOMATION_DEPTH_HEADER) ?? "";
  // However many it says: from here on no automation runs.
  return /^\d+$/.test(said) ? Math.min(Number(said), DEFAULTS.automations.maxDepth) : 0;
}
