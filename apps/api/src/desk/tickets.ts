import { newId, type Outbox } from "@hookline/core";
import type { Database } from "@hookline/postgres";
import { type Priority, type Ticket, ticketCreated } from "../events.js";

export interface Tickets {
  /** Opens a numbered ticket and publishes `ticket.created` in the same transaction. Idempotent by `requestKey`. */
  open(request: OpenTicket): Promise<Ticket>;
  list(tenantId: string): Promise<readonly Ticket[]>;
}

export interface OpenTicket {
  readonly tenantId: string;
  readonly title: string;
  readonly description: string;
  readonly priority: Priority;
  readonly createdBy: string;
  /** The same key opens no second ticket: a retried request gets the first one. */
  readonly requestKey: string;
}

interface TicketRow extends Omit<Ticket, "created_at"> {
  readonly created_at: Date;
}

const COLUMNS = "id, ticket_number, title, description, priority, status, created_by, created_at";

export function createTickets(options: { database: Database; outbox: Outbox; schema: string }): Tickets {
  const { database, outbox, schema } = options;

  return {
    open: (request) =>
      database.transaction(async (transaction) => {
        const known = await transaction.query<TicketRow>(
          `SELECT ${COLUMNS} FROM ${schema}.tickets WHERE tenant_id = $1 AND request_key = $2`,
          [request.tenantId, request.requestKey],
        );
        if (known[0]) return fromRow(known[0]);
        const now = new Date();
        const [counter] = await transaction.query<{ last: number }>(
          `INSERT INTO ${schema}.ticket_numbers (tenant_id, year, last) VALUES ($1, $2, 1)
           ON CONFLICT (tenant_id, year) DO UPDATE SET last = ticket_numbers.last + 1
           RETURNING last`,
          [request.tenantId, now.getUTCFullYear()],
        );
        // A request with the same key that runs right now violates the unique key here and takes its number back.
        const [created] = await transaction.query<TicketRow>(
          `INSERT INTO ${schema}.tickets (id, tenant_id, ticket_number, title, description, priority, created_by, created_at, request_key)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           RETURNING ${COLUMNS}`,
          [
            newId("tkt", now.getTime()),
            request.tenantId,
            `TKT-${now.getUTCFullYear()}-${String(counter?.last).padStart(3, "0")}`,
            request.title,
            request.description,
            request.priority,
            request.createdBy,
            now,
            request.requestKey,
          ],
        );
        if (!created) throw new Error("The ticket was not stored.");
        const ticket = fromRow(created);
        await outbox.publish({ tenantId: request.tenantId, type: ticketCreated.type, data: ticket }, { transaction });
        return ticket;
      }),

    list: async (tenantId) => {
      const rows = await database.query<TicketRow>(
        `SELECT ${COLUMNS} FROM ${schema}.tickets WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 100`,
        [tenantId],
      );
      return rows.map(fromRow);
    },
  };
}

function fromRow(row: TicketRow): Ticket {
  return { ...row, created_at: row.created_at.toISOString() };
}
