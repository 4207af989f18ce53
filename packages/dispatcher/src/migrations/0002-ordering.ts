import type { Migration } from "@hookline/postgres";

/**
 * The place of a delivery within its ordering key, and who edits the state of an entity right now. What has neither is
 * in none of these indexes.
 */
export const ordering: Migration = {
  id: "0002_ordering",
  async up(tx, schema) {
    for (const statement of orderingColumns(schema)) await tx.query(statement);
  },
};

const orderingColumns = (schema: string): readonly string[] => [
  `create sequence "${schema}".queue_position`,
  // Null: it keeps no order. next_at is infinity while an earlier one of the same endpoint and key is unfinished.
  `alter table "${schema}".queue add column ordering_key text, add column position bigint`,
  `create index queue_ordered on "${schema}".queue (endpoint_id, ordering_key, position) where ordering_key is not null`,
  // Whatever clocks and snapshots say: no two of a key are in flight.
  `create unique index queue_turn on "${schema}".queue (endpoint_id, ordering_key)
    where leased and ordering_key is not null`,

  `alter table "${schema}".states add column holder text, add column held_until timestamptz`,
];
