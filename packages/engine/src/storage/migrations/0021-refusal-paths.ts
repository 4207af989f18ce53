import type { Migration } from "@hookline/postgres";

/** Requests for a source's path that were no requests for the source say what they asked for. */
export const refusalPaths: Migration = {
  id: "0021_refusal_paths",
  async up(tx, schema) {
    await tx.query(`alter table "${schema}".source_refusals add column path text`);
  },
};
