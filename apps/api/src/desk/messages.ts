import { button, type DiscordButton, type DiscordTemplate, type MessageContent } from "@hookline/connector-discord";
import type { SlackTemplate } from "@hookline/destination-slack";
import { catalogue } from "../events/index.js";
import type { Machine } from "../events/machine-events.js";
import type { Ticket } from "../events/ticket-events.js";
import { type Presentation, present, presentMachine, presentTicket } from "./presentation.js";

/** The buttons below the desk's messages. */
export interface DeskButtons {
  readonly machine: Readonly<Record<"approve" | "deny", DiscordButton<"machineId">>>;
  readonly ticket: Readonly<Record<"claim" | "priority" | "close", DiscordButton<"ticketId">>>;
}

const COLORS = {
  neutral: 0x95a5a6,
  info: 0x3498db,
  success: 0x2ecc71,
  warning: 0xe67e22,
  danger: 0xe74c3c,
} as const satisfies Record<Presentation["tone"], number>;

/** How the desk's events look in a Discord channel. What happens later to the same thing edits its message. */
export function discordTemplates(buttons: DeskButtons): Readonly<Record<string, DiscordTemplate>> {
  const template: DiscordTemplate = {
    message(event) {
      const presentation = present(event);
      if (presentation === null) return null;
      if (event.type.startsWith("ticket.")) return ticketMessage(event.data as Ticket, buttons.ticket);
      if (event.type.startsWith("machine.")) return machineMessage(event.data as Machine, buttons.machine);
      return messageOf(presentation);
    },
    entity: (event) => present(event)?.entity,
  };
  return Object.fromEntries(catalogue.map(({ type }) => [type, template]));
}

/** How the desk's events look in Slack. */
export function slackTemplates(): Readonly<Record<string, SlackTemplate>> {
  const template: SlackTemplate = {
    message(event) {
      const presentation = present(event);
      if (presentation === null) return null;
      const { title, text, tone, fields } = presentation;
      return { title, ...(text === undefined ? {} : { text }), color: tone, fields };
    },
    entity: (event) => present(event)?.entity,
  };
  return Object.fromEntries(catalogue.map(({ type }) => [type, template]));
}

/** What a machine's message shows; with `buttons` while it is pending, without them once it is decided. */
export function machineMessage(machine: Machine, buttons?: DeskButtons["machine"]): MessageContent {
  const params = { machineId: machine.asset_id };
  return {
    ...messageOf(presentMachine(machine)),
    buttons:
      buttons && machine.status === "pending"
        ? [
            button(buttons.approve, { label: "Approve", style: "success", params }),
            button(buttons.deny, { label: "Deny", style: "danger", params }),
          ]
        : [],
  };
}

/** What a ticket's message shows; with the quick actions until it is closed. */
export function ticketMessage(ticket: Ticket, actions?: DeskButtons["ticket"]): MessageContent {
  const params = { ticketId: ticket.id };
  const isOver = ticket.status === "closed" || ticket.status === "resolved";
  return {
    ...messageOf(presentTicket(ticket)),
    buttons:
      actions && !isOver
        ? [
            button(actions.claim, { label: "Claim", style: "primary", params }),
            button(actions.priority, { label: "Set priority", params }),
            button(actions.close, { label: "Close", style: "danger", params }),
          ]
        : [],
  };
}

function messageOf({ title, text, tone, fields, timestamp }: Presentation): MessageContent {
  return {
    embeds: [
      {
        title,
        ...(text === undefined ? {} : { description: text }),
        color: COLORS[tone],
        fields: fields.map((field) => ({ ...field, inline: true })),
        ...(timestamp === undefined ? {} : { timestamp }),
      },
    ],
  };
}
