import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const prioritySchema = z.enum(["low", "normal", "high", "urgent"]);
export const ticketStatusSchema = z.enum(["new", "open", "pending", "resolved", "closed"]);

/** With a time zone or without: other systems write both. */
const time = z.iso.datetime({ offset: true, local: true });

export const noteSchema = z.looseObject({ author: z.string().optional(), text: z.string().optional() });

/**
 * A ticket as the desk tells of it, and as other systems do that know less of theirs (`POST /webhooks/xtsystems`):
 * only what all of them say is needed, and what they say beyond it is kept.
 */
export const ticketSchema = z.looseObject({
  id: z.string(),
  title: z.string(),
  priority: prioritySchema,
  status: z.string(),
  ticket_number: z.string().optional(),
  /** The number within its year. */
  seq_id: z.number().int().optional(),
  /** The title, for receivers that know it by this name. */
  subject: z.string().optional(),
  description: z.string().optional(),
  category: z.string().optional(),
  team: z.string().optional(),
  assignee: z.string().optional(),
  customer_email: z.string().optional(),
  customer_name: z.string().optional(),
  escalation_reason: z.string().optional(),
  created_by: z.string().optional(),
  created_at: time.optional(),
  updated_by: z.string().optional(),
  updated_at: time.optional(),
  /** The last three, oldest first. */
  notes: z.array(noteSchema).optional(),
});

export type Ticket = z.infer<typeof ticketSchema>;
export type TicketStatus = z.infer<typeof ticketStatusSchema>;
export type Priority = z.infer<typeof prioritySchema>;

export const ticketExample: Ticket = {
  id: "tkt_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
  ticket_number: "TKT-2026-001",
  seq_id: 1,
  title: "Cannot sign in",
  subject: "Cannot sign in",
  description: "The page stays white after the password.",
  priority: "high",
  status: "new",
  category: "Technical",
  customer_email: "anna@example.com",
  created_by: "anna",
  created_at: "2026-01-15T10:30:00.000Z",
};

const changed: Ticket = {
  ...ticketExample,
  status: "open",
  assignee: "mod",
  updated_by: "mod",
  updated_at: "2026-01-15T11:00:00.000Z",
  notes: [{ id: "not_1", author: "mod", text: "I look into it.", created_at: "2026-01-15T11:00:00.000Z" }],
};

const closed: Ticket = { ...changed, status: "closed" };
const resolved: Ticket = { ...changed, status: "resolved" };

export const ticketCreated = defineEvent({
  type: "ticket.created",
  schema: ticketSchema,
  description: "A ticket was opened at the support desk.",
  example: ticketExample,
});

export const ticketUpdated = defineEvent({
  type: "ticket.updated",
  schema: ticketSchema,
  description: "A ticket's status, priority, team, assignee or notes changed.",
  example: changed,
});

export const ticketClosed = defineEvent({
  type: "ticket.closed",
  schema: ticketSchema,
  description: "A ticket was closed or resolved.",
  example: closed,
});

export const ticketResolved = defineEvent({
  type: "ticket.resolved",
  schema: ticketSchema,
  description: "A ticket was resolved.",
  example: resolved,
});

export const ticketEscalated = defineEvent({
  type: "ticket.escalated",
  schema: ticketSchema,
  description: "A ticket was passed on to a team that can do more.",
  example: { ...changed, priority: "urgent", team: "Second line", escalation_reason: "All users are affected." },
});
