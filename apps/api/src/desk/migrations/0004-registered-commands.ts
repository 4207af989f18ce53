import type { Migration } from "@hookline/postgres";

/** Which commands this app has registered in which Discord server, as JSON text. */
export const registeredCommands: Migration = {
  id: "0004_registered_commands",
  async up(transaction, schema) {
    await transaction.query(`
        CREATE TABLE ${schema}.registered_commands (
          guild_id text PRIMARY KEY,
          commands text NOT NULL
        )`);
  },
};
