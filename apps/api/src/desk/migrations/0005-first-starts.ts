import type { Migration } from "@hookline/postgres";

/** What was done at a first start. */
export const firstStarts: Migration = {
  id: "0005_first_starts",
  async up(transaction, schema) {
    await transaction.query(`
        CREATE TABLE ${schema}.first_starts (
          name text PRIMARY KEY,
          done_at timestamptz NOT NULL
        )`);
  },
};
