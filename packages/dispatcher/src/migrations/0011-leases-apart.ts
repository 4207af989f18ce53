import type { Migration } from "@hookline/postgres";

/**
 * Deliveries under a lease are few and stay for milliseconds: they are in one index by the time at which the lease runs
 * out. The others are found by that at which they are due, by their tenant, endpoint and event.
 *
 * What is leased is in line, so `state = 0` says nothing new there. But without it Postgres would read that index, full
 * of entries of ended deliveries, for each statement that finds leases by their ids.
 */
export const leasesApart: Migration = {
  id: "0011_leases_apart",
  indexes: [
    { name: "queue_in_line", table: "queue", definition: "(next_at, id) where state = 0 and not leased" },
    { name: "queue_leased", table: "queue", definition: "(next_at, id) where state = 0 and leased" },
    { name: "queue_waiting_of_tenant", table: "queue", definition: "(tenant_id, id) where not leased" },
    { name: "queue_waiting_of_endpoint", table: "queue", definition: "(endpoint_id, id) where not leased" },
    {
      name: "queue_waiting_of_event",
      table: "queue",
      definition: "(event_id) where not leased and event_id is not null",
    },
  ],
};

export const leasesApartOldIndexes: Migration = {
  id: "0011_leases_apart_old_indexes",
  async up(tx, schema) {
    for (const name of ["queue_due", "queue_of_tenant", "queue_of_endpoint", "queue_of_event"]) {
      await tx.query(`drop index "${schema}".${name}`);
    }
  },
};
