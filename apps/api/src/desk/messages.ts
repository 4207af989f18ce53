import { button, code, type DiscordTemplate, type MessageContent } from "@hookline/connector-discord";
import {
  type Machine,
  machineApproved,
  machineDenied,
  machineRegistered,
  type Priority,
  type Ticket,
  ticketCreated,
} from "../events.js";
import type { createMachineButtons } from "./machine-buttons.js";

const PRIORITY = {
  low: { label: "Low", color: 0x95a5a6 },
  normal: { label: "Normal", color: 0x3498db },
  high: { label: "High", color: 0xe67e22 },
  urgent: { label: "Urgent", color: 0xe74c3c },
} as const satisfies Record<Priority, unknown>;

const MACHINE = {
  pending: { title: "A machine asks to be approved", color: 0xf1c40f },
  approved: { title: "Machine approved", color: 0x2ecc71 },
  denied: { title: "Machine denied", color: 0xe74c3c },
} as const satisfies Record<Machine["status"], unknown>;

/** How the desk's events look in a channel. A decision edits the message that announced its machine. */
export function messageTemplates(buttons: ReturnType<typeof createMachineButtons>) {
  const ticket: DiscordTemplate<Ticket> = { message: ({ data }) => ticketMessage(data) };
  const machine: DiscordTemplate<Machine> = {
    message: ({ data }) => machineMessage(data, buttons),
    entity: ({ data }) => data.asset_id,
  };
  return {
    [ticketCreated.type]: ticket,
    [machineRegistered.type]: machine,
    [machineApproved.type]: machine,
    [machineDenied.type]: machine,
  };
}

function ticketMessage(ticket: Ticket): MessageContent {
  return {
    embeds: [
      {
        title: `${ticket.ticket_number} · ${ticket.title}`,
        description: ticket.description,
        color: PRIORITY[ticket.priority].color,
        fields: [
          { name: "Priority", value: PRIORITY[ticket.priority].label, inline: true },
          { name: "From", value: ticket.created_by, inline: true },
        ],
        timestamp: ticket.created_at,
      },
    ],
  };
}

/** What a machine's message shows; with `buttons` while it is pending, without them once it is decided. */
export function machineMessage(machine: Machine, buttons?: ReturnType<typeof createMachineButtons>): MessageContent {
  const { title, color } = MACHINE[machine.status];
  return {
    embeds: [
      {
        title,
        color,
        fields: [
          { name: "Host", value: code(machine.hostname), inline: true },
          { name: "Address", value: code(machine.ip_address), inline: true },
          ...(machine.decided_by ? [{ name: "Decided by", value: machine.decided_by, inline: true }] : []),
        ],
        timestamp: machine.registered_at,
      },
    ],
    buttons:
      buttons && machine.status === "pending"
        ? [
            button(buttons.approve, { label: "Approve", style: "success", params: { machineId: machine.asset_id } }),
            button(buttons.deny, { label: "Deny", style: "danger", params: { machineId: machine.asset_id } }),
          ]
        : [],
  };
}
