import type { Person, PersonalDataHolder } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import { z } from "zod";

const ERASED = "(erased)";

/** Where names stand of those who did something: staff, or whoever a caller of the API names. */
const DOERS = [
  ["tickets", "created_by"],
  ["tickets", "updated_by"],
  ["tickets", "assignee"],
  ["machines", "decided_by"],
  ["assets", "created_by"],
  ["assets", "updated_by"],
] as const;
const DOERS_OF_TICKETS = [
  ["ticket_notes", "author"],
  ["conversation_messages", "author"],
  ["ai_responses", "reviewed_by"],
] as const;

/** What the desk holds about people: their tickets with all that was said about them, and their users. */
export function deskPersonalData(options: {
  readonly database: Database;
  readonly schema: string;
}): PersonalDataHolder {
  const { database, schema } = options;
  const owned = `SELECT subject FROM ${schema}.people WHERE tenant_id = $1 AND contact_id = ANY($2)`;
  const paramsOf = ({ tenantId, contactId, aliases }: Person) => [tenantId, [contactId, ...aliases]];

  return {
    name: "desk",

    async export(person) {
      const read = async (table: string, column: string) => {
        const rows = await database.query<{ row: string }>(
          `SELECT to_json(t)::text AS row FROM ${schema}.${table} t WHERE ${column} IN (${owned}) ORDER BY id`,
          paramsOf(person),
        );
        return rows.map(({ row }) => JSON.parse(row) as unknown);
      };
      return {
        tickets: await read("tickets", "id"),
        notes: await read("ticket_notes", "ticket_id"),
        messages: await read("conversation_messages", "ticket_id"),
        feedback: await read("feedback", "ticket_id"),
        aiResponses: await read("ai_responses", "ticket_id"),
        users: await read("users", "id"),
      };
    },

    /**
     * Tickets stay with number, status and times, so that the desk's figures do. In what others asked for, what the
     * person did stays without the name.
     */
    async erase(person, { transaction }) {
      const params = paramsOf(person);
      for (const table of ["ticket_notes", "conversation_messages", "feedback", "ai_responses"]) {
        await transaction.query(`DELETE FROM ${schema}.${table} WHERE ticket_id IN (${owned})`, params);
      }
      await transaction.query(
        `UPDATE ${schema}.tickets SET title = $3, description = $3, created_by = $3, category = NULL,
           customer_email = NULL, customer_name = NULL, escalation_reason = NULL
         WHERE id IN (${owned})`,
        [...params, ERASED],
      );
      const { tenantId } = person;
      const names = namesOf(person);
      for (const [table, column] of DOERS) {
        await transaction.query(
          `UPDATE ${schema}.${table} SET ${column} = $3 WHERE tenant_id = $1 AND ${column} = ANY($2)`,
          [tenantId, names, ERASED],
        );
      }
      for (const [table, column] of DOERS_OF_TICKETS) {
        await transaction.query(
          `UPDATE ${schema}.${table} SET ${column} = $3
           WHERE ${column} = ANY($2) AND ticket_id IN (SELECT id FROM ${schema}.tickets WHERE tenant_id = $1)`,
          [tenantId, names, ERASED],
        );
      }
      await transaction.query(`DELETE FROM ${schema}.users WHERE id IN (${owned})`, params);
      await transaction.query(`DELETE FROM ${schema}.people WHERE tenant_id = $1 AND contact_id = ANY($2)`, params);
    },
  };
}

/** What a person signs with: the name in Discord, as it was last seen, and every identity. */
function namesOf({ identities, properties }: Person): readonly string[] {
  const { discord } = namedSchema.parse(properties);
  return [...identities.map(({ value }) => value), ...(discord?.username === undefined ? [] : [discord.username])];
}

const namedSchema = z.object({ discord: z.object({ username: z.string().optional() }).optional().catch(undefined) });
