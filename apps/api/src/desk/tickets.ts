import { type EventDefinition, newId, type Transaction } from "@hookline/core";
import {
  type Priority,
  type Ticket,
  type TicketStatus,
  ticketClosed,
  ticketCreated,
  ticketEscalated,
  ticketResolved,
  ticketUpdated,
} from "../events/ticket-events.js";
import { announce } from "./announce.js";
import type { DeskStore } from "./desk-store.js";
import { type Owner, rememberOwner } from "./people.js";
import {
  type DeskTicket,
  findTicket,
  findTicketOfRequest,
  listTickets,
  lockTicket,
  type TicketKey,
} from "./ticket-rows.js";

/** Tickets of the desk. Each change publishes its events in its own transaction; what changes nothing publishes none. */
export interface Tickets {
  /** Opens a numbered ticket, in the caller's transaction if there is one. Idempotent by `requestKey`. */
  open(request: OpenTicket, options?: { readonly transaction?: Transaction }): Promise<DeskTicket>;
  /** Null: the tenant has no such ticket; so it is with the others below. */
  change(ticket: TicketKey, change: TicketChange): Promise<DeskTicket | null>;
  note(ticket: TicketKey, note: { readonly author: string; readonly text: string }): Promise<DeskTicket | null>;
  /** Passes the ticket on to a team; its priority is high at least from then on. */
  escalate(ticket: TicketKey, escalation: Escalation): Promise<DeskTicket | null>;
  get(ticket: TicketKey): Promise<DeskTicket | null>;
  /** Newest first, 100 at most. */
  list(tenantId: string): Promise<readonly DeskTicket[]>;
}

export interface OpenTicket {
  readonly tenantId: string;
  readonly title: string;
  readonly description: string;
  readonly priority: Priority;
  readonly createdBy: string;
  /** The same key opens no second ticket: a retried request gets the first one. */
  readonly requestKey: string;
  readonly category?: string | undefined;
  readonly team?: string | undefined;
  readonly customerEmail?: string | undefined;
  readonly customerName?: string | undefined;
  /** Who asks; whoever has the customer's address when absent. */
  readonly owner?: Owner | undefined;
}

export interface TicketChange {
  readonly changedBy: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly status?: TicketStatus | undefined;
  readonly priority?: Priority | undefined;
  readonly team?: string | undefined;
  readonly assignee?: string | undefined;
}

export interface Escalation {
  readonly escalatedBy: string;
  readonly team: string;
  readonly reason: string;
}

const CHANGEABLE = ["title", "description", "status", "priority", "team", "assignee"] as const;

export function createTickets(options: DeskStore): Tickets {
  const { database, schema } = options;

  const announceTicket = async (
    transaction: Transaction,
    key: TicketKey,
    as: readonly EventDefinition<string, Ticket>[],
  ): Promise<DeskTicket> => {
    const ticket = await findTicket(transaction.query, schema, key);
    if (ticket === null) throw new Error(`Ticket ${key.id} vanished while it was changed.`);
    await announce(options, transaction, { tenantId: key.tenantId, as, data: ticket, subject: ticket.id });
    return ticket;
  };

  const insertTicket = async (transaction: Transaction, request: OpenTicket): Promise<string> => {
    const now = new Date();
    const year = now.getUTCFullYear();
    const [counter] = await transaction.query<{ last: number }>(
      `INSERT INTO ${schema}.ticket_numbers (tenant_id, year, last) VALUES ($1, $2, 1)
       ON CONFLICT (tenant_id, year) DO UPDATE SET last = ticket_numbers.last + 1
       RETURNING last`,
      [request.tenantId, year],
    );
    const id = newId("tkt", now.getTime());
    await transaction.query(
      `INSERT INTO ${schema}.tickets (id, tenant_id, ticket_number, title, description, priority, created_by, created_at,
         request_key, category, team, customer_email, customer_name)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [
        id,
        request.tenantId,
        `TKT-${year}-${String(counter?.last).padStart(3, "0")}`,
        request.title,
        request.description,
        request.priority,
        request.createdBy,
        now,
        request.requestKey,
        request.category ?? null,
        request.team ?? null,
        request.customerEmail ?? null,
        request.customerName ?? null,
      ],
    );
    return id;
  };

  const openIn = async (transaction: Transaction, request: OpenTicket): Promise<DeskTicket> => {
    // A request with the same key that runs right now is waited for, and then found.
    await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `${schema}.tickets ${request.tenantId} ${request.requestKey}`,
    ]);
    const known = await findTicketOfRequest(transaction.query, schema, request);
    if (known !== null) return known;
    const id = await insertTicket(transaction, request);
    const { tenantId, customerEmail } = request;
    const byEmail = customerEmail && { identities: [{ kind: "email", value: customerEmail }] };
    const owner = request.owner ?? byEmail;
    if (owner) await rememberOwner(options, transaction, { tenantId, subject: id, owner });
    return await announceTicket(transaction, { tenantId: request.tenantId, id }, [ticketCreated]);
  };

  const touch = (transaction: Transaction, key: TicketKey, by: string) =>
    transaction.query(
      `UPDATE ${schema}.tickets SET updated_by = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2`,
      [key.tenantId, key.id, by, new Date()],
    );

  return {
    open: (request, { transaction } = {}) =>
      transaction === undefined ? database.transaction((own) => openIn(own, request)) : openIn(transaction, request),

    change: (key, { changedBy, ...change }) =>
      database.transaction(async (transaction) => {
        const before = await lockTicket(transaction.query, schema, key);
        if (before === null) return null;
        const changed = CHANGEABLE.filter((name) => change[name] !== undefined && change[name] !== before[name]);
        if (changed.length === 0) return before;
        const assignments = changed.map((name, index) => `${name} = $${index + 5}`).join(", ");
        await transaction.query(
          `UPDATE ${schema}.tickets SET updated_by = $3, updated_at = $4, ${assignments} WHERE tenant_id = $1 AND id = $2`,
          [key.tenantId, key.id, changedBy, new Date(), ...changed.map((name) => change[name] ?? null)],
        );
        const ended = changed.includes("status") ? ENDINGS[change.status ?? before.status] : undefined;
        return await announceTicket(transaction, key, [ticketUpdated, ...(ended ?? [])]);
      }),

    note: (key, { author, text }) =>
      database.transaction(async (transaction) => {
        if ((await lockTicket(transaction.query, schema, key)) === null) return null;
        const now = new Date();
        await transaction.query(
          `INSERT INTO ${schema}.ticket_notes (id, ticket_id, author, text, created_at) VALUES ($1, $2, $3, $4, $5)`,
          [newId("not", now.getTime()), key.id, author, text, now],
        );
        await touch(transaction, key, author);
        return await announceTicket(transaction, key, [ticketUpdated]);
      }),

    escalate: (key, { escalatedBy, team, reason }) =>
      database.transaction(async (transaction) => {
        if ((await lockTicket(transaction.query, schema, key)) === null) return null;
        await transaction.query(
          `UPDATE ${schema}.tickets SET team = $3, escalation_reason = $4, updated_by = $5, updated_at = $6,
             priority = CASE WHEN priority IN ('low', 'normal') THEN 'high' ELSE priority END
           WHERE tenant_id = $1 AND id = $2`,
          [key.tenantId, key.id, team, reason, escalatedBy, new Date()],
        );
        return await announceTicket(transaction, key, [ticketUpdated, ticketEscalated]);
      }),

    get: (key) => findTicket(database.query, schema, key),
    list: (tenantId) => listTickets(database.query, schema, tenantId),
  };
}

/** What it means beside an update that a ticket gets this status. */
const ENDINGS: Partial<Record<TicketStatus, readonly EventDefinition<string, Ticket>[]>> = {
  resolved: [ticketClosed, ticketResolved],
  closed: [ticketClosed],
};
