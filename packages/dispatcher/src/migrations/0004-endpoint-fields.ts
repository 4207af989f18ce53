import type { Migration } from "@hookline/postgres";

/** What an endpoint's owner says about it, which events it wants by their data, and whether its URL was verified. */
export const endpointFields: Migration = {
  id: "0004_endpoint_fields",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".endpoints
      add column description text,
      add column metadata text,
      add column condition text,
      add column verification text`);
  },
};
