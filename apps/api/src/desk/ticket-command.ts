import { defineCommand, defineModal, markdown, reply, showModal } from "@hookline/connector-discord";
import { type Priority, prioritySchema } from "../events/ticket-events.js";
import type { Tickets } from "./tickets.js";

export const PRIORITY_OPTIONS = [
  { label: "Low", value: "low" },
  { label: "Normal", value: "normal", default: true },
  { label: "High", value: "high" },
  { label: "Urgent", value: "urgent" },
] as const satisfies readonly { readonly label: string; readonly value: Priority; readonly default?: boolean }[];

/** `/ticket`: a modal, then a numbered ticket at the desk and a private answer with its number. */
export function createTicketCommand(options: { tickets: Tickets }) {
  const modal = defineModal({
    name: "ticket",
    title: "Open a ticket",
    fields: {
      title: { kind: "text", label: "Title", placeholder: "What is it about?", maxLength: 200 },
      description: { kind: "text", label: "Description", style: "paragraph", maxLength: 3_000 },
      priority: {
        kind: "select",
        label: "Priority",
        options: PRIORITY_OPTIONS,
      },
    },
    answer: "deferred",
    async run({ id, tenantId, user, fields }) {
      const ticket = await options.tickets.open({
        tenantId,
        title: fields.title,
        description: fields.description,
        priority: prioritySchema.parse(fields.priority),
        createdBy: user.username,
        requestKey: `discord:${id}`,
      });
      return reply(markdown`Ticket **${ticket.ticket_number}** is open. The desk has it now.`);
    },
  });

  const command = defineCommand({
    name: "ticket",
    description: "Open a ticket at the support desk",
    answer: "immediate",
    run: () => showModal(modal),
  });

  return { command, modal };
}
