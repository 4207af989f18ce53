import { DISCORD_PROVIDER_ID } from "@hookline/connector-discord";
import { type Logger, readText } from "@hookline/core";
import { erxes, sign } from "@hookline/webhook-signing";
import { z } from "zod";
import { ticketCreated } from "../events/ticket-events.js";
import type { DeskStore } from "./desk-store.js";
import { type NotTaken, priorityOf, type SubmittedTicket, type TicketIntake } from "./ticket-intake.js";

export interface ErxesIntakeOptions {
  /** `https://…/automation/{id}/{endpoint}`. */
  readonly url: string;
  readonly bearerToken: string;
  readonly secret: string;
  readonly store: Pick<DeskStore, "database" | "outbox" | "linkContact">;
  readonly logger: Logger;
  /** Of one try; 10,000. */
  readonly timeoutMs?: number;
}

const DEFAULTS = {
  timeoutMs: 10_000,
  maxAnswerBytes: 64 * 1024,
  maxReasonCharacters: 300,
} as const satisfies Record<string, number>;

/**
 * Hands tickets to an erxes automation: bearer token, the documented signature, and beside it what the erxes server
 * really checks. A ticket that arrived is published as `ticket.created`, so that its channel shows it; it is about the
 * contact of whom the ticket is about, so that an erasure finds it here. What erxes holds is erased there.
 *
 * At least once: where the answer is lost, erxes gets the ticket again.
 */
export function erxesIntake(options: ErxesIntakeOptions): TicketIntake {
  const { url, bearerToken, secret, logger, timeoutMs = DEFAULTS.timeoutMs } = options;
  const { database, linkContact } = options.store;

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
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  };

  const publish = (ticket: SubmittedTicket, reference: string | null) =>
    database.transaction(async (transaction) => {
      const { tenantId } = ticket;
      const identities = [{ kind: DISCORD_PROVIDER_ID, value: ticket.requesterId }];
      const { contactId: subjectId } = await linkContact({ tenantId, identities }, { transaction });
      const data = {
        id: reference ?? ticket.requestKey,
        ...(reference === null ? {} : { ticket_number: reference }),
        title: ticket.title,
        description: ticket.description,
        priority: priorityOf(ticket.priority),
        status: "new",
        created_by: ticket.userName,
        created_at: ticket.submittedAt.toISOString(),
      };
      const idempotencyKey = `erxes:${ticket.requestKey}`;
      await options.store.outbox.publish(
        { tenantId, type: ticketCreated.type, subjectId, idempotencyKey, data },
        { transaction },
      );
    });

  return {
    async submit(ticket, signal) {
      let status: number;
      let answer: string;
      try {
        const response = await send(ticket, signal);
        status = response.status;
        answer = (await readText(response, { maxBytes: DEFAULTS.maxAnswerBytes })).text;
      } catch (error) {
        logger.warn({ err: error }, "the ticket system could not be reached");
        return notReached(error);
      }
      if (status < 200 || status > 299) {
        logger.warn({ status }, "the ticket system refused a ticket");
        return refusal(status, answer);
      }
      const failure = failureIn(answer);
      if (failure !== null) {
        logger.warn({ status, reason: failure.reason }, "the ticket system did not take a ticket");
        return failure;
      }
      const reference = referenceIn(answer);
      await publish(ticket, reference);
      return { ok: true, reference };
    },
  };
}

function notReached(error: unknown): NotTaken {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { ok: false, retry: true, mayHaveArrived: true, reason: "The ticket system did not answer in time." };
  }
  return { ok: false, retry: true, reason: "The ticket system can't be reached." };
}

/** A 2xx that says no: erxes tells of an automation that failed by `success`, and a wrong address often shows a page. */
function failureIn(answer: string): NotTaken | null {
  const parsed = parse(answer);
  if (parsed?.success === false || parsed?.status === "error" || parsed?.status === "failed") {
    return { ok: false, retry: false, reason: `The ticket system refused the ticket${detailIn(answer)}.` };
  }
  if (!answer.trimStart().startsWith("<")) return null;
  const reason = "The ticket system answered with a web page: its address here may be wrong.";
  return { ok: false, retry: false, reason };
}

function detailIn(answer: string): string {
  const detail = messageIn(answer);
  return detail === null ? "" : `: ${detail.replace(/\.+$/, "")}`;
}

function refusal(status: number, answer: string): NotTaken {
  if (status === 401 || status === 403) {
    const reason = `The ticket system does not accept this server's credentials (${status}).`;
    return { ok: false, retry: false, reason };
  }
  if (status === 400 || status === 422) {
    const reason = `The ticket system refused the ticket (${status})${detailIn(answer)}.`;
    return { ok: false, retry: false, reason };
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

/** What erxes says, or else a problem of RFC 9457, such as a source of this app answers: with its fields. */
function messageIn(answer: string): string | null {
  const parsed = parse(answer);
  const said = [parsed?.message, parsed?.error, fieldsIn(parsed?.errors), parsed?.detail];
  const message = said.find((text) => typeof text === "string" && text !== "");
  return typeof message === "string" ? message.slice(0, DEFAULTS.maxReasonCharacters) : null;
}

const FIELD_ERRORS = z.array(
  z
    .object({ pointer: z.string(), message: z.string().optional(), detail: z.string().optional() })
    .transform(({ pointer, message, detail }) => `${fieldAt(pointer)} ${message ?? detail ?? "is refused"}`),
);

function fieldsIn(errors: unknown): string | null {
  const read = FIELD_ERRORS.safeParse(errors);
  return read.success ? read.data.join("; ") : null;
}

/** `/body/priority`, or `#/priority` as the RFC writes it. */
function fieldAt(pointer: string): string {
  const path = pointer.replace(/^#?\/(body\/)?/, "");
  return path.replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
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
