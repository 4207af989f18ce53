import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const prioritySchema = z.enum(["low", "normal", "high", "urgent"]);

export const ticketSchema = z.object({
  id: z.string(),
  ticket_number: z.string(),
  title: z.string(),
  description: z.string(),
  priority: prioritySchema,
  status: z.enum(["new"]),
  created_by: z.string(),
  created_at: z.iso.datetime(),
});

export const machineSchema = z.object({
  asset_id: z.string(),
  hostname: z.string(),
  ip_address: z.string(),
  status: z.enum(["pending", "approved", "denied"]),
  registered_at: z.iso.datetime(),
  decided_by: z.string().optional(),
});

export type Ticket = z.infer<typeof ticketSchema>;
export type Machine = z.infer<typeof machineSchema>;
export type Priority = z.infer<typeof prioritySchema>;

const machineExample: Machine = {
  asset_id: "mac_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
  hostname: "DESKTOP-001",
  ip_address: "192.168.1.100",
  status: "pending",
  registered_at: "2026-01-15T10:30:00.000Z",
};

export const ticketCreated = defineEvent({
  type: "ticket.created",
  schema: ticketSchema,
  description: "A ticket was opened at the support desk.",
  example: {
    id: "tkt_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    ticket_number: "TKT-2026-001",
    title: "Cannot sign in",
    description: "The page stays white after the password.",
    priority: "high",
    status: "new",
    created_by: "anna",
    created_at: "2026-01-15T10:30:00.000Z",
  },
});

export const machineRegistered = defineEvent({
  type: "machine.registered",
  schema: machineSchema,
  description: "A machine asks to be approved.",
  example: machineExample,
});

export const machineApproved = defineEvent({
  type: "machine.approved",
  schema: machineSchema,
  description: "A moderator approved a machine.",
  example: { ...machineExample, status: "approved", decided_by: "mod" },
});

export const machineDenied = defineEvent({
  type: "machine.denied",
  schema: machineSchema,
  description: "A moderator denied a machine.",
  example: { ...machineExample, status: "denied", decided_by: "mod" },
});

/** Every event type of the reference domain. */
export const catalogue = [ticketCreated, machineRegistered, machineApproved, machineDenied];
