import type { Migration } from "@hookline/postgres";

/**
 * How an endpoint does, beside what it is: `failures` and `outages` count attempts since its last success, `openings`
 * how often in a row its circuit breaker opened (0: it is closed). Deliveries wait until `circuit_until` and
 * `held_until` have passed. These columns change without a new `version`.
 */
export const endpointHealth: Migration = {
  id: "0003_endpoint_health",
  async up(tx, schema) {
    await tx.query(`
      alter table "${schema}".endpoints
        add column contact_address text,
        add column failures integer not null default 0,
        add column outages integer not null default 0,
        add column openings integer not null default 0,
        add column failing_since timestamptz,
        add column circuit_until timestamptz,
        add column held_until timestamptz,
        add column backlog_level smallint not null default 0`);
  },
};
