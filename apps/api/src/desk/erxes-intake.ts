import type { Logger, Outbox } from "@hookline/core";
import { erxes, sign } from "@hookline/webhook-signing";
import { ticketCreated } from "../events/ticket-events.js";
import { priorityOf, type SubmittedOutcome, type SubmittedTicket, type TicketIntake } from "./ticket-intake.js";

export interface ErxesIntakeOptions {
  /** `https://…/automation/{id}/{endpoint}`. */
  readonly url: string;
  readonly bearerToken: string;
  readonly secret: string;
  readonly outbox: Outbox;
  readonly logger: Logger;
}

const DEFAULTS = { timeoutMs: 10_000, maxAnswerCharacters: 64 * 1024 } as const satisfies Record<string, number>;

/**
 * Hands tickets to an erxes automation: bearer token, the documented signature, and beside it what the erxes server
 * really checks. A ticket that arrived is published as `ticket.created`, so that its channel shows it.
 *
 * At least once: where the answer is lost, erxes gets the ticket again.
 */
export function erxesIntake(options: ErxesIntakeOptions): TicketIntake {
  const { url, bearerToken, secret, outbox, logger } = options;

  const send = async (ticket: SubmittedTicket, signal: AbortSignal): Promise<Response> => {
    const body = JSON.stringify({
      userName: ticket.userName,
      userId: ticket.userId,
      ticketTitle: ticket.title,
      ticketDescription: ticket.description,
      priority: ticket.priority,
      channelName: ticket.channelName ?? undefined,
      timestamp: ticket.submittedAt.toISOString(),
      ...ticket.further,
    });
    const timestamp = Math.floor(Date.now() / 1000);
    return await fetch(url, {
      method: "POST",
      headers: {
        ...sign(body, { scheme: erxes, secrets: [secret], timestamp }),
        authorization: `Bearer ${bearerToken}`,
        "content-type": "application/json",
      },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEFAULTS.timeoutMs)]),
    });
  };

  return {
    async submit(ticket, signal) {
      let status: number;
      let answer: string;
      try {
        const response = await send(ticket, signal);
        status = response.status;
        answer = (await response.text()).slice(0, DEFAULTS.maxAnswerCharacters);
      } catch (error) {
        logger.warn({ err: error }, "the ticket system could not be reached");
        return { ok: false, retry: true, reason: "The ticket system can't be reached." };
      }
      if (status < 200 || status > 299) {
        logger.warn({ status }, "the ticket system refused a ticket");
        return refusal(status, answer);
      }
      const reference = referenceIn(answer) ?? ticket.requestKey;
      await outbox.publish({
        tenantId: ticket.tenantId,
        type: ticketCreated.type,
        idempotencyKey: `erxes:${ticket.requestKey}`,
        data: {
          id: reference,
          ticket_number: reference,
          title: ticket.title,
          description: ticket.description,
          priority: priorityOf(ticket.priority),
          status: "new",
          created_by: ticket.userName,
          created_at: ticket.submittedAt.toISOString(),
        },
      });
      return { ok: true, reference };
    },
  };
}

function refusal(status: number, answer: string): SubmittedOutcome {
  if (status === 401 || status === 403) {
    return { ok: false, retry: false, reason: "The ticket system does not accept this server's credentials (401)." };
  }
  if (status === 400 || status === 422) {
    const detail = messageIn(answer);
    const what = detail === null ? "" : `: ${detail.replace(/\.+$/, "")}`;
    return { ok: false, retry: false, reason: `The ticket system refused the ticket (${status})${what}.` };
  }
  if (status === 429)
    return { ok: false, retry: true, reason: "The ticket system takes no more tickets for now (429)." };
  const retry = status >= 500 || status === 408;
  return { ok: false, retry, reason: `The ticket system failed (${status}).` };
}

/** The number where there is one; erxes documents only `executionId`, and answers it in either of two forms. */
function referenceIn(answer: string): string | null {
  const parsed = parse(answer);
  for (const key of ["number", "ticketNumber", "executionId"]) {
    const value = parsed?.[key];
    if (typeof value === "string" && value !== "") return value.slice(0, 100);
    if (typeof value === "number") return String(value);
  }
  return null;
}

function messageIn(answer: string): string | null {
  const parsed = parse(answer);
  const message = parsed?.message ?? parsed?.error;
  return typeof message === "string" && message !== "" ? message.slice(0, 300) : null;
}

function parse(answer: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // A page of a proxy: the status says what counts.
    return null;
  }
}
