import type { Migration } from "@hookline/postgres";

/** What an event has run is found by the event. */
export const executionsOfEvents: Migration = {
  id: "0012_executions_of_events",
  indexes: [
    {
      name: "automation_executions_of_event",
      table: "automation_executions",
      definition: "(tenant_id, event_id)",
    },
  ],
};
