import {
  button,
  type DiscordButton,
  type DiscordSelect,
  type DiscordTemplate,
  type MessageContent,
  select,
} from "@hookline/connector-discord";
import type { SlackTemplate } from "@hookline/destination-slack";
import { catalogue } from "../events/index.js";
import type { Machine } from "../events/machine-events.js";
import type { Priority, Ticket } from "../events/ticket-events.js";
import { type Presentation, present, presentMachine, presentTicket } from "./presentation.js";

/** The buttons below the desk's messages. */
export interface DeskButtons {
  readonly machine: Readonly<Record<"approve" | "deny", DiscordButton<"machineId">>>;
  readonly ticket: TicketActions;
}

/** What can be done with a ticket below its message. */
export interface TicketActions {
  readonly claim: DiscordButton<"ticketId">;
  readonly priority: DiscordSelect<readonly { readonly label: string; readonly value: Priority }[], "ticketId", 1>;
  readonly close: DiscordButton<"ticketId">;
}

const COLORS = {
  neutral: 0x95a5a6,
  info: 0x3498db,
  success: 0x2ecc71,
  warning: 0xe67e22,
  danger: 0xe74c3c,
} as const satisfies Record<Presentation["tone"], number>;

/** Whether the desk has it: events of these types also come from erxes, from a platform and by automations. */
export interface OfTheDesk {
  ticket(key: { readonly tenantId: string; readonly id: string }): Promise<boolean>;
  machine(key: { readonly tenantId: string; readonly id: string }): Promise<boolean>;
}

/**
 * How the desk's events look in a Discord channel. What happens later to the same thing edits its message. Only what
 * the desk itself has gets buttons.
 */
export function discordTemplates(options: {
  readonly buttons: DeskButtons;
  readonly ofTheDesk: OfTheDesk;
}): Readonly<Record<string, DiscordTemplate>> {
  const { buttons, ofTheDesk } = options;
  const template: DiscordTemplate = {
    async message(event) {
      const presentation = present(event);
      if (presentation === null) return null;
      const { tenantId, type } = event;
      if (type.startsWith("ticket.")) {
        const ticket = event.data as Ticket;
        return ticketMessage(
          ticket,
          (await ofTheDesk.ticket({ tenantId, id: ticket.id })) ? buttons.ticket : undefined,
        );
      }
      if (type.startsWith("machine.")) {
        const machine = event.data as Machine;
        const own = await ofTheDesk.machine({ tenantId, id: machine.asset_id });
        return machineMessage(machine, own ? buttons.machine : undefined);
      }
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
export function ticketMessage(ticket: Ticket, actions?: TicketActions): MessageContent {
  const params = { ticketId: ticket.id };
  const shown = messageOf(presentTicket(ticket));
  if (!actions || ticket.status === "closed" || ticket.status === "resolved") return shown;
  return {
    ...shown,
    selects: [select(actions.priority, { params, placeholder: "Set the priority", chosen: [ticket.priority] })],
    buttons: [
      button(actions.claim, { label: "Claim", style: "primary", params }),
      button(actions.close, { label: "Close", style: "danger", params }),
    ],
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
