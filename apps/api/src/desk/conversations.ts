import { newId } from "@hookline/core";
import {
  type ConversationMessage,
  conversationAdded,
  type Feedback,
  feedbackReceived,
} from "../events/conversation-events.js";
import { announce } from "./announce.js";
import type { DeskStore } from "./desk-store.js";
import { findTicket, type TicketKey } from "./ticket-rows.js";

/** What is said about a ticket, and how its customer rates it. Null: the tenant has no such ticket. */
export interface Conversations {
  add(
    ticket: TicketKey,
    message: Pick<ConversationMessage, "author" | "sender" | "message">,
  ): Promise<ConversationMessage | null>;
  rate(
    ticket: TicketKey,
    feedback: { readonly rating: number; readonly comment?: string | undefined },
  ): Promise<Feedback | null>;
}

export function createConversations(options: DeskStore): Conversations {
  const { database, schema } = options;

  return {
    add: (key, { author, sender, message }) =>
      database.transaction(async (transaction) => {
        const ticket = await findTicket(transaction.query, schema, key);
        if (ticket === null) return null;
        const now = new Date();
        const added: ConversationMessage = {
          id: newId("msg", now.getTime()),
          ticket_id: ticket.id,
          ticket_number: ticket.ticket_number,
          author,
          sender,
          message,
          created_at: now.toISOString(),
        };
        await transaction.query(
          `INSERT INTO ${schema}.conversation_messages (id, ticket_id, author, sender, message, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [added.id, ticket.id, author, sender, message, now],
        );
        const { tenantId } = key;
        await announce(options, transaction, { tenantId, as: [conversationAdded], data: added, subject: ticket.id });
        return added;
      }),

    rate: (key, { rating, comment }) =>
      database.transaction(async (transaction) => {
        const ticket = await findTicket(transaction.query, schema, key);
        if (ticket === null) return null;
        const now = new Date();
        const feedback: Feedback = {
          id: newId("fbk", now.getTime()),
          ticket_id: ticket.id,
          ticket_number: ticket.ticket_number,
          rating,
          ...(comment === undefined ? {} : { comment }),
          created_at: now.toISOString(),
        };
        await transaction.query(
          `INSERT INTO ${schema}.feedback (id, ticket_id, rating, comment, created_at) VALUES ($1, $2, $3, $4, $5)`,
          [feedback.id, ticket.id, rating, comment ?? null, now],
        );
        const { tenantId } = key;
        await announce(options, transaction, { tenantId, as: [feedbackReceived], data: feedback, subject: ticket.id });
        return feedback;
      }),
  };
}
