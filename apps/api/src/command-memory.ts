import type { CommandMemory } from "@hookline/connector-discord";
import type { Database } from "@hookline/postgres";
import { z } from "zod";

const commandsSchema = z.array(
  z.object({ kind: z.enum(["command", "command-group", "user-command", "message-command"]), name: z.string() }),
);

/** Which commands of a server this app has registered, so that one that it no longer defines goes. */
export function createCommandMemory(options: {
  readonly database: Database;
  readonly schema: string;
  readonly guildId: string;
}): CommandMemory {
  const { database, schema, guildId } = options;
  return {
    async read() {
      const [row] = await database.query<{ commands: string }>(
        `SELECT commands FROM ${schema}.registered_commands WHERE guild_id = $1`,
        [guildId],
      );
      return row === undefined ? [] : commandsSchema.parse(JSON.parse(row.commands));
    },
    async write(commands) {
      await database.query(
        `INSERT INTO ${schema}.registered_commands (guild_id, commands) VALUES ($1, $2)
         ON CONFLICT (guild_id) DO UPDATE SET commands = excluded.commands`,
        [guildId, JSON.stringify(commands)],
      );
    },
  };
}
