import { defineEvent } from "@hookline/core";
import { z } from "zod";
import { ticketExample, ticketSchema } from "./ticket-events.js";

export const aiResponseSchema = z.object({
  id: z.string(),
  ticket_id: z.string(),
  text: z.string(),
  /** How sure the model is, from 0 to 1. */
  confidence: z.number().min(0).max(1),
  status: z.enum(["generated", "requires_review", "approved", "rejected"]),
  created_at: z.iso.datetime(),
  reviewed_by: z.string().optional(),
});

export const aiEventSchema = z.object({ ticket: ticketSchema, ai_response: aiResponseSchema });
export const aiRejectionSchema = aiEventSchema.extend({ reason: z.string() });

export type AiResponse = z.infer<typeof aiResponseSchema>;

const aiResponse: AiResponse = {
  id: "air_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
  ticket_id: ticketExample.id,
  text: "Please clear the browser's cache and sign in again.",
  confidence: 0.62,
  status: "generated",
  created_at: "2026-01-15T10:31:00.000Z",
};

export const aiResponseGenerated = defineEvent({
  type: "ai.response.generated",
  schema: aiEventSchema,
  description: "An answer to a ticket was generated.",
  example: { ticket: ticketExample, ai_response: aiResponse },
});

export const aiResponseRequiresReview = defineEvent({
  type: "ai.response.requires_review",
  schema: aiEventSchema,
  description: "A generated answer waits for somebody to approve or reject it.",
  example: { ticket: ticketExample, ai_response: { ...aiResponse, status: "requires_review" } },
});

export const aiResponseApproved = defineEvent({
  type: "ai.response.approved",
  schema: aiEventSchema,
  description: "A generated answer was approved.",
  example: { ticket: ticketExample, ai_response: { ...aiResponse, status: "approved", reviewed_by: "mod" } },
});

export const aiResponseRejected = defineEvent({
  type: "ai.response.rejected",
  schema: aiRejectionSchema,
  description: "A generated answer was rejected, with the reason.",
  example: {
    ticket: ticketExample,
    ai_response: { ...aiResponse, status: "rejected", reviewed_by: "mod" },
    reason: "The customer has tried that already.",
  },
});
