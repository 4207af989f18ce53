import type { Migration } from "@hookline/postgres";

export const automations: Migration = {
  id: "0010_automations",
  async up(tx, schema) {
    for (const statement of statements(schema)) await tx.query(statement);
  },
};

const statements = (schema: string): readonly string[] => [
  `create table "${schema}".automations (
    id text primary key,
    tenant_id text not null,
    name text not null,
    active boolean not null,
    version integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (tenant_id, name)
  )`,
  // Only added to: an execution goes on with the version that it began with.
  `create table "${schema}".automation_versions (
    automation_id text not null references "${schema}".automations (id) on delete cascade,
    version integer not null,
    definition text not null,
    created_at timestamptz not null,
    primary key (automation_id, version)
  )`,
  `create table "${schema}".automation_executions (
    id text primary key,
    tenant_id text not null,
    automation_id text not null,
    version integer not null,
    event_id text not null,
    event_type text not null,
    status text not null,
    error text,
    started_at timestamptz not null,
    ended_at timestamptz
  )`,
  `create index automation_executions_of_automation
    on "${schema}".automation_executions (tenant_id, automation_id, id)`,
  `create table "${schema}".automation_steps (
    execution_id text not null references "${schema}".automation_executions (id) on delete cascade,
    step_id text not null,
    position integer not null,
    action text not null,
    status text not null,
    input text not null,
    output text not null,
    error text,
    tries integer not null,
    duration_ms integer not null,
    primary key (execution_id, step_id)
  )`,
];
