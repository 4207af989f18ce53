import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { DiscordAccount } from "../linked-roles/options.js";
import { createSeals } from "./seals.js";

/** Whose browser it is, as Discord has just said: good for one page's form, for 15 minutes. */
export interface TicketHolder extends DiscordAccount {
  readonly userName: string;
}

export interface MemberTicket extends TicketHolder {
  readonly ticketId: string;
}

export interface MemberTickets {
  issue(holder: TicketHolder, nowMs: number): string;
  /** Null for one that is over, or was not issued here. */
  read(ticket: string, nowMs: number): MemberTicket | null;
  /** The same for the same ticket and address: what is asked twice is mailed once. */
  requestIdOf(ticket: MemberTicket, email: string): string;
}

const TTL_MS = 900_000;

const ticketSchema = z.object({
  tenantId: z.string(),
  discordId: z.string(),
  userName: z.string(),
  ticketId: z.string(),
  expiresMs: z.number(),
});

export function createMemberTickets(secret: string): MemberTickets {
  const seals = createSeals(secret);
  return {
    issue(holder, nowMs) {
      const ticketId = randomBytes(16).toString("base64url");
      return seals.seal("ticket", { ...holder, ticketId, expiresMs: nowMs + TTL_MS });
    },
    read(ticket, nowMs) {
      const parsed = ticketSchema.safeParse(seals.open("ticket", ticket));
      if (!parsed.success || parsed.data.expiresMs <= nowMs) return null;
      const { expiresMs: _expiresMs, ...read } = parsed.data;
      return read;
    },
    requestIdOf: ({ ticketId }, email) => `page:${seals.derive("confirm", JSON.stringify([ticketId, email]))}`,
  };
}
