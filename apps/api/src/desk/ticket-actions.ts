import { defineButton, defineSelect, reply, updateMessage } from "@hookline/connector-discord";
import type { Priority } from "../events/ticket-events.js";
import { type TicketActions, ticketMessage } from "./messages.js";
import type { TicketChange, Tickets } from "./tickets.js";

const PRIORITY_OPTIONS = [
  { label: "Low", value: "low" },
  { label: "Normal", value: "normal" },
  { label: "High", value: "high" },
  { label: "Urgent", value: "urgent" },
] as const satisfies readonly { readonly label: string; readonly value: Priority }[];

/** Who works on tickets. */
export const STAFF = {
  requires: ["ManageMessages"],
  refusal: "Only members who may manage messages can work on tickets.",
  // Each change is an event for every subscriber: fast enough for people, too slow for a stuck finger.
  cooldown: { seconds: 10, uses: 5 },
} as const;

/** Privately: what the message shows everybody may be right, and stays. */
const UNKNOWN = "This ticket is not one of this desk, so it can't be worked on from here.";

/** Quick actions below a ticket's message: claim, set priority, close. Each changes the ticket and then the message. */
export function createTicketActions(options: { tickets: Tickets }) {
  const change = async (ticket: { tenantId: string; id: string }, changes: TicketChange) => {
    const changed = await options.tickets.change(ticket, changes);
    return changed === null ? reply(UNKNOWN) : updateMessage(ticketMessage(changed, actions));
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

  const priority = defineSelect({
    name: "ticket-priority",
    params: ["ticketId"],
    choose: PRIORITY_OPTIONS,
    ...STAFF,
    answer: "immediate",
    run: ({ tenantId, user, params, values: [chosen] }) =>
      change({ tenantId, id: params.ticketId }, { changedBy: user.username, priority: chosen }),
  });

  const actions: TicketActions = { claim, priority, close };
  return actions;
}
