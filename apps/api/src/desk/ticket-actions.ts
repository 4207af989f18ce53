import { defineButton, defineModal, reply, showModal, updateMessage } from "@hookline/connector-discord";
import { type Priority, prioritySchema } from "../events/ticket-events.js";
import { type DeskButtons, ticketMessage } from "./messages.js";
import type { TicketChange, Tickets } from "./tickets.js";

const PRIORITY_OPTIONS = [
  { label: "Low", value: "low" },
  { label: "Normal", value: "normal", default: true },
  { label: "High", value: "high" },
  { label: "Urgent", value: "urgent" },
] as const satisfies readonly { readonly label: string; readonly value: Priority; readonly default?: boolean }[];

const STAFF = {
  requires: ["ManageMessages"],
  refusal: "Only members who may manage messages can work on tickets.",
} as const;

const UNKNOWN = { content: "This ticket is no longer known.", embeds: [], buttons: [] };

/** Quick actions below a ticket's message: claim, set priority, close. Each changes the ticket and then the message. */
export function createTicketActions(options: { tickets: Tickets }) {
  const change = async (ticket: { tenantId: string; id: string }, changes: TicketChange) => {
    const changed = await options.tickets.change(ticket, changes);
    return updateMessage(changed === null ? UNKNOWN : ticketMessage(changed, actions));
  };

  const claim = defineButton({
    name: "ticket-claim",
    params: ["ticketId"],
    ...STAFF,
    answer: "immediate",
    run: ({ tenantId, user, params }) =>
      change({ tenantId, id: params.ticketId }, { changedBy: user.username, assignee: user.username, status: "open" }),
  });

  const close = defineButton({
    name: "ticket-close",
    params: ["ticketId"],
    ...STAFF,
    answer: "immediate",
    run: ({ tenantId, user, params }) =>
      change({ tenantId, id: params.ticketId }, { changedBy: user.username, status: "closed" }),
  });

  const priorityModal = defineModal({
    name: "ticket-priority",
    title: "Set the ticket's priority",
    params: ["ticketId"],
    fields: { priority: { kind: "select", label: "Priority", options: PRIORITY_OPTIONS } },
    ...STAFF,
    answer: "immediate",
    run: ({ tenantId, user, params, fields }) =>
      change(
        { tenantId, id: params.ticketId },
        { changedBy: user.username, priority: prioritySchema.parse(fields.priority) },
      ),
  });

  const priority = defineButton({
    name: "ticket-priority",
    params: ["ticketId"],
    ...STAFF,
    answer: "immediate",
    async run({ tenantId, params }) {
      const ticket = await options.tickets.get({ tenantId, id: params.ticketId });
      if (ticket === null) return reply("This ticket is no longer known.");
      return showModal(priorityModal, { params: { ticketId: ticket.id }, values: { priority: ticket.priority } });
    },
  });

  const actions: DeskButtons["ticket"] = { claim, priority, close };
  return { actions, priorityModal };
}
