import type { Event } from "@hookline/core";
import type { SlackColor } from "@hookline/destination-slack";
import type { z } from "zod";
import type { Company, User } from "../events/account-events.js";
import type { aiEventSchema } from "../events/ai-events.js";
import type { ConversationMessage, Feedback } from "../events/conversation-events.js";
import type { catalogue } from "../events/index.js";
import type { Alert, Asset } from "../events/inventory-events.js";
import type { Machine } from "../events/machine-events.js";
import type { Priority, Ticket, TicketStatus } from "../events/ticket-events.js";

type AiEvent = z.infer<typeof aiEventSchema> & { readonly reason?: string };

/** What a message about an event says, whichever channel shows it. */
export interface Presentation {
  readonly title: string;
  readonly text?: string;
  readonly tone: SlackColor;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** When it happened; absent: when its event did. */
  readonly timestamp?: string | undefined;
  /** What the message stands for: a later event about the same thing changes it. */
  readonly entity?: string;
}

type EventType = (typeof catalogue)[number]["type"];

const PRIORITY = {
  low: { label: "Low", tone: "neutral" },
  normal: { label: "Normal", tone: "info" },
  high: { label: "High", tone: "warning" },
  urgent: { label: "Urgent", tone: "danger" },
} as const satisfies Record<Priority, unknown>;

const STATUS: ReadonlyMap<string, string> = new Map<TicketStatus, string>([
  ["new", "New"],
  ["open", "Open"],
  ["pending", "Waiting"],
  ["resolved", "Resolved"],
  ["closed", "Closed"],
]);

const MACHINE = {
  pending: { title: "A machine asks to be approved", tone: "warning" },
  approved: { title: "Machine approved", tone: "success" },
  denied: { title: "Machine denied", tone: "danger" },
} as const satisfies Record<Machine["status"], unknown>;

const SEVERITY = {
  info: "info",
  warning: "warning",
  critical: "danger",
} as const satisfies Record<Alert["severity"], SlackColor>;

export function presentTicket(ticket: Ticket): Presentation {
  const ended = ticket.status === "resolved" || ticket.status === "closed";
  const fields = [
    { name: "Priority", value: PRIORITY[ticket.priority].label },
    { name: "Status", value: STATUS.get(ticket.status) ?? ticket.status },
    { name: "From", value: ticket.customer_name ?? ticket.created_by },
    { name: "Team", value: ticket.team },
    { name: "Assignee", value: ticket.assignee },
    { name: "Escalated", value: ticket.escalation_reason },
    { name: "Last note", value: ticket.notes?.at(-1)?.text },
  ];
  return {
    title: ticket.ticket_number === undefined ? ticket.title : `${ticket.ticket_number} · ${ticket.title}`,
    ...(ticket.description === undefined ? {} : { text: ticket.description }),
    tone: ended ? "success" : PRIORITY[ticket.priority].tone,
    fields: shown(fields),
    timestamp: ticket.updated_at ?? ticket.created_at,
    entity: ticket.id,
  };
}

export function presentMachine(machine: Machine): Presentation {
  return {
    ...MACHINE[machine.status],
    fields: [
      { name: "Host", value: machine.hostname },
      { name: "Address", value: machine.ip_address },
      ...(machine.decided_by ? [{ name: "Decided by", value: machine.decided_by }] : []),
    ],
    timestamp: machine.registered_at,
    entity: machine.asset_id,
  };
}

function presentAsset(asset: Asset, title: string): Presentation {
  return {
    title: `${title}: ${asset.name}`,
    ...(asset.description === undefined ? {} : { text: asset.description }),
    tone: "info",
    fields: shown([
      { name: "Status", value: asset.status },
      { name: "By", value: asset.updated_by ?? asset.created_by },
    ]),
    timestamp: asset.updated_at ?? asset.created_at,
    entity: asset.id,
  };
}

function presentAnswer({ ticket, ai_response: answer, reason }: AiEvent, title: string): Presentation {
  const tones = { generated: "info", requires_review: "warning", approved: "success", rejected: "danger" } as const;
  return {
    title: `${ticket.ticket_number ?? ticket.title} · ${title}`,
    text: answer.text,
    tone: tones[answer.status],
    fields: [
      { name: "Confidence", value: `${Math.round(answer.confidence * 100)} %` },
      ...(answer.reviewed_by ? [{ name: "Reviewed by", value: answer.reviewed_by }] : []),
      ...(reason ? [{ name: "Reason", value: reason }] : []),
    ],
    timestamp: answer.created_at,
    entity: answer.id,
  };
}

/** Leaves out what is not known. */
function shown(fields: readonly { readonly name: string; readonly value: string | undefined }[]) {
  return fields.filter((field): field is { name: string; value: string } => field.value !== undefined);
}

const PRESENTATIONS = {
  "ticket.created": presentTicket,
  "ticket.updated": presentTicket,
  "ticket.closed": presentTicket,
  "ticket.resolved": presentTicket,
  "ticket.escalated": presentTicket,
  "machine.registered": presentMachine,
  "machine.approved": presentMachine,
  "machine.denied": presentMachine,
  "asset.created": (asset: Asset) => presentAsset(asset, "New asset"),
  "asset.updated": (asset: Asset) => presentAsset(asset, "Asset changed"),
  "alert.triggered": (alert: Alert) => ({
    title: alert.title,
    text: alert.message,
    tone: SEVERITY[alert.severity],
    fields: [
      { name: "Severity", value: alert.severity },
      { name: "Source", value: alert.source },
    ],
    timestamp: alert.triggered_at,
  }),
  "user.created": (user: User) => ({
    title: `New user: ${user.username}`,
    tone: "info",
    fields: [],
    timestamp: user.created_at,
  }),
  "company.created": (company: Company) => ({
    title: `New company: ${company.name}`,
    tone: "info",
    fields: [],
    timestamp: company.created_at,
  }),
  "conversation.added": (message: ConversationMessage) => ({
    title: `${message.ticket_number} · ${message.author} wrote`,
    text: message.message,
    tone: message.sender === "customer" ? "warning" : "neutral",
    fields: [],
    timestamp: message.created_at,
  }),
  "feedback.received": (feedback: Feedback) => ({
    title: `${feedback.ticket_number} · ${feedback.rating} of 5`,
    ...(feedback.comment === undefined ? {} : { text: feedback.comment }),
    tone: feedback.rating >= 4 ? "success" : feedback.rating === 3 ? "neutral" : "danger",
    fields: [],
    timestamp: feedback.created_at,
  }),
  "ai.response.generated": (event: AiEvent) => presentAnswer(event, "an answer was generated"),
  "ai.response.requires_review": (event: AiEvent) => presentAnswer(event, "an answer needs a review"),
  "ai.response.approved": (event: AiEvent) => presentAnswer(event, "an answer was approved"),
  "ai.response.rejected": (event: AiEvent) => presentAnswer(event, "an answer was rejected"),
  // biome-ignore lint/suspicious/noExplicitAny: each entry knows the data of its own type
} as const satisfies Record<EventType, (data: any) => Presentation>;

/** Says what a message about an event of the catalogue shows; null for any other event. */
export function present({ type, data }: Event): Presentation | null {
  if (!Object.hasOwn(PRESENTATIONS, type)) return null;
  // The catalogue has checked the data against the schema of its type when the event was published.
  return PRESENTATIONS[type as EventType](data as never);
}
