import type { Migration } from "@hookline/postgres";

/** Which events automations have caused, and how many stand behind each. */
export const automationEvents: Migration = {
  id: "0019_automation_events",
  async up(tx, schema) {
    await tx.query(`
      create table "${schema}".automation_events (
        event_id text primary key,
        depth integer not null,
        published_at timestamptz not null
      )`);
    await tx.query(`create index automation_events_by_time on "${schema}".automation_events (published_at)`);
  },
};

/** Executions are removed by their age. */
export const executionTimes: Migration = {
  id: "0020_execution_times",
  indexes: [
    {
      name: "automation_executions_by_time",
      table: "automation_executions",
      definition: "(started_at)",
    },
  ],
};
