import type { Migration } from "@hookline/postgres";

/**
 * `expunged_at`: when the payload was taken out of a row that stays. `phases`: how long the parts of an attempt took.
 * A recovery is a task that goes through an endpoint's deliveries by their ids; `place` is the last one behind it.
 */
export const lookBack: Migration = {
  id: "0005_look_back",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".events add column expunged_at timestamptz`);
    await tx.query(`alter table "${schema}".messages add column expunged_at timestamptz`);
    await tx.query(`alter table "${schema}".attempts add column phases text`);
    await tx.query(`create table "${schema}".recoveries (
      id text primary key,
      tenant_id text not null,
      endpoint_id text not null,
      of_status text not null,
      since timestamptz not null,
      until timestamptz not null,
      status text not null,
      place text not null,
      place_end text not null,
      matched bigint not null default 0,
      requeued bigint not null default 0,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      ended_at timestamptz
    )`);
    await tx.query(`create index recoveries_running on "${schema}".recoveries (updated_at) where status = 'running'`);
    await tx.query(`create index recoveries_of_tenant on "${schema}".recoveries (tenant_id, id)`);
  },
};

/** What `deliveries.list`, `recover` and retention look for. Those over failed attempts cost nothing while all is well. */
export const lookBackIndexes: Migration = {
  id: "0005_look_back_indexes",
  indexes: [
    { name: "queue_of_tenant", table: "queue", definition: "(tenant_id, id)" },
    { name: "queue_of_endpoint", table: "queue", definition: "(endpoint_id, id)" },
    { name: "queue_of_event", table: "queue", definition: "(event_id) where event_id is not null" },
    {
      name: "attempts_ending_of_event",
      table: "attempts",
      definition: "(event_id, delivery_id) where ending is not null and event_id is not null",
    },
    {
      name: "attempts_undelivered_of_tenant",
      table: "attempts",
      definition: "(tenant_id, delivery_id) where ending <> 'delivered' and ending <> 'skipped'",
    },
    {
      name: "attempts_undelivered_of_endpoint",
      table: "attempts",
      definition: "(endpoint_id, delivery_id) where ending <> 'delivered' and ending <> 'skipped'",
    },
    {
      name: "attempts_ending_by_error",
      table: "attempts",
      definition: "(tenant_id, error_code, delivery_id) where ending is not null and error_code is not null",
    },
    {
      name: "attempts_ending_by_status",
      table: "attempts",
      definition: "(tenant_id, status, delivery_id) where ending is not null and (status < 200 or status > 299)",
    },
    { name: "events_of_type", table: "events", definition: "(tenant_id, type, occurred_at, id)" },
    { name: "events_stored", table: "events", definition: "(stored_at, id) where expunged_at is null" },
    { name: "events_expunged", table: "events", definition: "(stored_at, id) where expunged_at is not null" },
    { name: "messages_stored", table: "messages", definition: "(stored_at, id) where expunged_at is null" },
    { name: "messages_expunged", table: "messages", definition: "(stored_at, id) where expunged_at is not null" },
  ],
};
