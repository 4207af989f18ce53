import { newId } from "@hookline/core";
import type { DatabaseTransaction } from "@hookline/postgres";
import {
  type AiResponse,
  aiResponseApproved,
  aiResponseGenerated,
  aiResponseRejected,
  aiResponseRequiresReview,
} from "../events/ai-events.js";
import { announce } from "./announce.js";
import type { DeskStore } from "./desk-store.js";
import { findTicket, type TicketKey } from "./ticket-rows.js";

/** Answers that a model wrote: they come in by API, and people approve or reject those that need a review. */
export interface AiResponses {
  /** One below the confidence limit, or that asks for it, waits for a review. Null: the tenant has no such ticket. */
  add(ticket: TicketKey, response: NewAiResponse): Promise<AiResponse | null>;
  /** Decides on an answer that was not decided yet; one that was is answered as it is. Null: there is no such answer. */
  decide(key: TicketKey, decision: AiDecision): Promise<AiResponse | null>;
}

export interface NewAiResponse {
  readonly text: string;
  readonly confidence: number;
  readonly requiresReview?: boolean | undefined;
}

export type AiDecision =
  | { readonly decision: "approved"; readonly reviewedBy: string }
  | { readonly decision: "rejected"; readonly reviewedBy: string; readonly reason: string };

interface ResponseRow extends Omit<AiResponse, "created_at" | "reviewed_by"> {
  readonly created_at: Date;
  readonly reviewed_by: string | null;
}

const COLUMNS = "a.id, a.ticket_id, a.text, a.confidence, a.status, a.reviewed_by, a.created_at";

export const REVIEW_BELOW_CONFIDENCE = 0.8;

export function createAiResponses(options: DeskStore): AiResponses {
  const { database, schema } = options;

  const ticketOf = async (transaction: DatabaseTransaction, key: TicketKey) => {
    const ticket = await findTicket(transaction.query, schema, key);
    if (ticket === null) throw new Error(`Ticket ${key.id} vanished while its answer was decided on.`);
    return ticket;
  };

  return {
    add: (key, { text, confidence, requiresReview = confidence < REVIEW_BELOW_CONFIDENCE }) =>
      database.transaction(async (transaction) => {
        const ticket = await findTicket(transaction.query, schema, key);
        if (ticket === null) return null;
        const now = new Date();
        const added: AiResponse = {
          id: newId("air", now.getTime()),
          ticket_id: ticket.id,
          text,
          confidence,
          status: requiresReview ? "requires_review" : "generated",
          created_at: now.toISOString(),
        };
        await transaction.query(
          `INSERT INTO ${schema}.ai_responses (id, ticket_id, text, confidence, status, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [added.id, ticket.id, text, confidence, added.status, now],
        );
        await announce(options, transaction, {
          tenantId: key.tenantId,
          as: requiresReview ? [aiResponseGenerated, aiResponseRequiresReview] : [aiResponseGenerated],
          data: { ticket, ai_response: added },
          subject: ticket.id,
        });
        return added;
      }),

    decide: ({ tenantId, id }, decision) =>
      database.transaction(async (transaction) => {
        const [row] = await transaction.query<ResponseRow>(
          `SELECT ${COLUMNS} FROM ${schema}.ai_responses a JOIN ${schema}.tickets t ON t.id = a.ticket_id
           WHERE t.tenant_id = $1 AND a.id = $2 FOR UPDATE OF a`,
          [tenantId, id],
        );
        if (row === undefined) return null;
        if (row.status === "approved" || row.status === "rejected") return fromRow(row);
        await transaction.query(`UPDATE ${schema}.ai_responses SET status = $2, reviewed_by = $3 WHERE id = $1`, [
          id,
          decision.decision,
          decision.reviewedBy,
        ]);
        const decided = fromRow({ ...row, status: decision.decision, reviewed_by: decision.reviewedBy });
        const ticket = await ticketOf(transaction, { tenantId, id: row.ticket_id });
        const data = { ticket, ai_response: decided };
        const about = { tenantId, subject: ticket.id };
        if (decision.decision === "approved") {
          await announce(options, transaction, { ...about, as: [aiResponseApproved], data });
        } else {
          const { reason } = decision;
          await announce(options, transaction, { ...about, as: [aiResponseRejected], data: { ...data, reason } });
        }
        return decided;
      }),
  };
}

function fromRow({ created_at, reviewed_by, ...row }: ResponseRow): AiResponse {
  return {
    ...row,
    created_at: created_at.toISOString(),
    ...(reviewed_by === null ? {} : { reviewed_by }),
  };
}
