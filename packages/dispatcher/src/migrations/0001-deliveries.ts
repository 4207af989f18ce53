import type { Migration } from "@hookline/postgres";

/**
 * `events` and `messages` hold the bodies, once. `queue` holds a small row for each delivery that is not finished, and
 * is emptied as deliveries end; `attempts` is only appended to, and its last row of a delivery says how that ended.
 */
export const deliveries: Migration = {
  id: "0001_deliveries",
  async up(tx, schema) {
    for (const statement of initialTables(schema)) await tx.query(statement);
  },
};

const initialTables = (schema: string): readonly string[] => [
  `create table "${schema}".events (
    id text primary key,
    tenant_id text not null,
    type text not null,
    subject_id text,
    occurred_at timestamptz not null,
    stored_at timestamptz not null,
    idempotency_key text,
    ordering_key text,
    body text not null
  )`,
  `create unique index events_idempotency on "${schema}".events (tenant_id, idempotency_key)
    where idempotency_key is not null`,
  `create index events_of_tenant on "${schema}".events (tenant_id, occurred_at, id)`,
  `create index events_of_subject on "${schema}".events (tenant_id, subject_id, occurred_at, id)
    where subject_id is not null`,

  `create table "${schema}".messages (
    id text primary key,
    tenant_id text not null,
    destination text not null,
    target text not null,
    body text not null,
    idempotency_key text,
    deadline_at timestamptz,
    stored_at timestamptz not null
  )`,
  `create unique index messages_idempotency on "${schema}".messages (tenant_id, idempotency_key)
    where idempotency_key is not null`,

  `create table "${schema}".endpoints (
    id text primary key,
    tenant_id text not null,
    key text,
    name text,
    destination text not null,
    target text not null,
    secrets text not null,
    events text[] not null,
    policy text not null,
    active boolean not null,
    disabled_at timestamptz,
    disabled_reason text,
    version integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  `create unique index endpoints_key on "${schema}".endpoints (tenant_id, key) where key is not null`,
  `create unique index endpoints_name on "${schema}".endpoints (tenant_id, name) where name is not null`,
  `create index endpoints_of_tenant on "${schema}".endpoints (tenant_id, id)`,

  // state: 0 in line, 1 held (its endpoint is disabled), 2 set aside (its endpoint is busy).
  // next_at: when it is due, or, while leased, when the lease runs out; so a crash needs no clearing up.
  `create table "${schema}".queue (
    id text primary key,
    event_id text,
    endpoint_id text,
    tenant_id text not null,
    state smallint not null,
    leased boolean not null,
    lease_no integer not null,
    attempt integer not null default 0,
    first_attempt integer not null default 0,
    next_at timestamptz not null,
    deadline_at timestamptz
  ) with (
    fillfactor = 80,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
  )`,
  `create index queue_due on "${schema}".queue (next_at, id) where state = 0`,
  `create index queue_set_aside on "${schema}".queue (endpoint_id, id) where state <> 0`,

  `create table "${schema}".attempts (
    delivery_id text not null,
    attempt integer not null,
    lease_no integer not null,
    tenant_id text not null,
    endpoint_id text,
    event_id text,
    started_at timestamptz not null,
    duration_ms integer not null,
    outcome text not null,
    ending text,
    status integer,
    error_code text,
    reason text,
    request_headers text,
    response_body text,
    next_at timestamptz,
    primary key (delivery_id, attempt)
  )`,
  `create index attempts_ending_of_tenant on "${schema}".attempts (tenant_id, delivery_id) where ending is not null`,
  `create index attempts_ending_of_endpoint on "${schema}".attempts (endpoint_id, delivery_id)
    where ending is not null`,

  `create table "${schema}".states (
    endpoint_id text not null,
    entity text not null,
    state text not null,
    updated_at timestamptz not null,
    primary key (endpoint_id, entity)
  )`,
];
