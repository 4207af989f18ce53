import type { Migration } from "@hookline/postgres";

/** Whose a ticket or a user is, where that is known: `subject` is its id. */
export const people: Migration = {
  id: "0003_people",
  async up(transaction, schema) {
    await transaction.query(`
        CREATE TABLE ${schema}.people (
          subject text PRIMARY KEY,
          tenant_id text NOT NULL,
          contact_id text NOT NULL
        )`);
    await transaction.query(`CREATE INDEX people_of_contact ON ${schema}.people (tenant_id, contact_id)`);
  },
};
