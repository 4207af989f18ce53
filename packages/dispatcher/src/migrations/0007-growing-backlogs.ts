import type { Migration } from "@hookline/postgres";

/** Endpoints whose backlog was told of are few, and looked at again and again. */
export const growingBacklogs: Migration = {
  id: "0007_growing_backlogs",
  indexes: [{ name: "endpoints_backlogged", table: "endpoints", definition: "(id) where backlog_level > 0" }],
};
