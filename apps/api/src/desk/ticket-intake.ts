import { DISCORD_PROVIDER_ID } from "@hookline/connector-discord";
import type { Priority } from "../events/ticket-events.js";
import type { Tickets } from "./tickets.js";

/** A ticket as a member has filled it in. */
export interface SubmittedTicket {
  readonly tenantId: string;
  /** The same for each try of one submission. */
  readonly requestKey: string;
  readonly title: string;
  readonly description: string;
  /** The number that the chosen priority stands for; 0 is low. */
  readonly priority: number;
  /** What further fields hold, by their names; empty ones are left out. */
  readonly further: Readonly<Record<string, string>>;
  /** The Discord id of whom the ticket is about: who submitted it, or the author of the message that it was made from. */
  readonly requesterId: string;
  /** Who submitted it. */
  readonly userId: string;
  readonly userName: string;
  readonly channelName: string | null;
  readonly submittedAt: Date;
}

/** Where `/ticket` takes tickets: the own desk, or another system. */
export interface TicketIntake {
  submit(ticket: SubmittedTicket, signal: AbortSignal): Promise<SubmittedOutcome>;
}

export type SubmittedOutcome =
  /** The ticket's number there, or what there is in its place; null where nothing was told. */
  { readonly ok: true; readonly reference: string | null } | NotTaken;

export interface NotTaken {
  readonly ok: false;
  /** A sentence for the member. */
  readonly reason: string;
  readonly retry: boolean;
  /** It was sent and nothing was answered: it may be there all the same. */
  readonly mayHaveArrived?: boolean;
}

const PRIORITIES: readonly Priority[] = ["low", "normal", "high", "urgent"];

export function priorityOf(level: number): Priority {
  return PRIORITIES[Math.min(Math.max(level, 0), PRIORITIES.length - 1)] ?? "normal";
}

/** Takes tickets at the own desk, once for each submission. */
export function deskIntake(tickets: Tickets): TicketIntake {
  return {
    async submit(ticket) {
      const { category, team, ...others } = ticket.further;
      const lines = Object.entries(others).map(([name, value]) => `${name}: ${value}`);
      const opened = await tickets.open({
        tenantId: ticket.tenantId,
        title: ticket.title,
        description: [ticket.description, ...lines].join("\n"),
        priority: priorityOf(ticket.priority),
        createdBy: ticket.userName,
        requestKey: ticket.requestKey,
        category,
        team,
        owner: { identities: [{ kind: DISCORD_PROVIDER_ID, value: ticket.requesterId }] },
      });
      return { ok: true, reference: opened.ticket_number };
    },
  };
}
