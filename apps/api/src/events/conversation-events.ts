import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const conversationSchema = z.object({
  id: z.string(),
  ticket_id: z.string(),
  ticket_number: z.string(),
  author: z.string(),
  /** Who speaks. */
  sender: z.enum(["customer", "agent", "ai"]),
  message: z.string(),
  created_at: z.iso.datetime(),
});

export const feedbackSchema = z.object({
  id: z.string(),
  ticket_id: z.string(),
  ticket_number: z.string(),
  /** 1 (bad) to 5 (good). */
  rating: z.number().int().min(1).max(5),
  comment: z.string().optional(),
  created_at: z.iso.datetime(),
});

export type ConversationMessage = z.infer<typeof conversationSchema>;
export type Feedback = z.infer<typeof feedbackSchema>;

const TICKET = { ticket_id: "tkt_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e", ticket_number: "TKT-2026-001" };

export const conversationAdded = defineEvent({
  type: "conversation.added",
  schema: conversationSchema,
  description: "Somebody wrote in the conversation about a ticket.",
  example: {
    id: "msg_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    ...TICKET,
    author: "anna",
    sender: "customer",
    message: "It still happens.",
    created_at: "2026-01-15T12:00:00.000Z",
  },
});

export const feedbackReceived = defineEvent({
  type: "feedback.received",
  schema: feedbackSchema,
  description: "A customer rated how a ticket was handled.",
  example: {
    id: "fbk_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    ...TICKET,
    rating: 5,
    comment: "Quick help, thank you.",
    created_at: "2026-01-16T09:00:00.000Z",
  },
});
