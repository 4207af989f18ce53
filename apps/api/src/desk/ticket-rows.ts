import type { SqlQuery } from "@hookline/core";
import type { Priority, Ticket, TicketStatus } from "../events/ticket-events.js";

interface TicketRow {
  readonly id: string;
  readonly ticket_number: string;
  readonly title: string;
  readonly description: string;
  readonly priority: Priority;
  readonly status: TicketStatus;
  readonly category: string | null;
  readonly team: string | null;
  readonly assignee: string | null;
  readonly customer_email: string | null;
  readonly customer_name: string | null;
  readonly escalation_reason: string | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_by: string | null;
  readonly updated_at: Date | null;
  /** JSON text. */
  readonly notes: string;
}

/** The columns of a ticket `t`, with its last three notes. */
const columns = (schema: string): string => `
  t.id, t.ticket_number, t.title, t.description, t.priority, t.status, t.category, t.team, t.assignee,
  t.customer_email, t.customer_name, t.escalation_reason, t.created_by, t.created_at, t.updated_by, t.updated_at,
  (SELECT coalesce(json_agg(json_build_object('id', n.id, 'author', n.author, 'text', n.text, 'created_at', n.created_at)
                            ORDER BY n.id), '[]')::text
   FROM (SELECT * FROM ${schema}.ticket_notes WHERE ticket_id = t.id ORDER BY id DESC LIMIT 3) n) AS notes`;

/** A ticket of the desk's own, of which everything is known. */
export type DeskTicket = Ticket & {
  readonly ticket_number: string;
  readonly seq_id: number;
  readonly subject: string;
  readonly description: string;
  readonly status: TicketStatus;
  readonly created_by: string;
  readonly created_at: string;
};

export interface TicketKey {
  readonly tenantId: string;
  readonly id: string;
}

export async function findTicket(query: SqlQuery, schema: string, key: TicketKey): Promise<DeskTicket | null> {
  const [row] = await query<TicketRow>(
    `SELECT ${columns(schema)} FROM ${schema}.tickets t WHERE t.tenant_id = $1 AND t.id = $2`,
    [key.tenantId, key.id],
  );
  return row === undefined ? null : fromRow(row);
}

/** {@link findTicket}; nobody else changes the ticket until the transaction ends. */
export async function lockTicket(query: SqlQuery, schema: string, key: TicketKey): Promise<DeskTicket | null> {
  await query(`SELECT 1 AS locked FROM ${schema}.tickets WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, [
    key.tenantId,
    key.id,
  ]);
  return await findTicket(query, schema, key);
}

/** The ticket that a request with this key has opened. */
export async function findTicketOfRequest(
  query: SqlQuery,
  schema: string,
  { tenantId, requestKey }: { readonly tenantId: string; readonly requestKey: string },
): Promise<DeskTicket | null> {
  const [row] = await query<TicketRow>(
    `SELECT ${columns(schema)} FROM ${schema}.tickets t WHERE t.tenant_id = $1 AND t.request_key = $2`,
    [tenantId, requestKey],
  );
  return row === undefined ? null : fromRow(row);
}

/** Newest first, 100 at most. */
export async function listTickets(query: SqlQuery, schema: string, tenantId: string): Promise<DeskTicket[]> {
  const rows = await query<TicketRow>(
    `SELECT ${columns(schema)} FROM ${schema}.tickets t
     WHERE t.tenant_id = $1 ORDER BY t.created_at DESC, t.id DESC LIMIT 100`,
    [tenantId],
  );
  return rows.map(fromRow);
}

function fromRow({ created_at, updated_at, notes, ...row }: TicketRow): DeskTicket {
  const noted = (JSON.parse(notes) as { id: string; author: string; text: string; created_at: string }[]).map(
    (note) => ({
      ...note,
      created_at: new Date(note.created_at).toISOString(),
    }),
  );
  return {
    ...withoutNulls(row),
    seq_id: Number(row.ticket_number.slice(row.ticket_number.lastIndexOf("-") + 1)),
    subject: row.title,
    created_at: created_at.toISOString(),
    ...(updated_at === null ? {} : { updated_at: updated_at.toISOString() }),
    ...(noted.length === 0 ? {} : { notes: noted }),
  };
}

type WithoutNulls<Row> = { [Key in keyof Row as null extends Row[Key] ? never : Key]: Row[Key] } & {
  [Key in keyof Row as null extends Row[Key] ? Key : never]?: NonNullable<Row[Key]>;
};

/** What the database says by null, an event says by leaving it out. */
function withoutNulls<Row extends object>(row: Row): WithoutNulls<Row> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as WithoutNulls<Row>;
}
