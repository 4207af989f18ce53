import type { Event, Interpretation } from "@hookline/core";
import { describeApiError, retryAfterMs } from "../rest/api-answer.js";
import { type DiscordMessageState, shownBy } from "./message-state.js";

/** Discord's code for a message that was deleted. */
const UNKNOWN_MESSAGE = 10_008;

/** Of these answers Discord takes 10,000 in ten minutes before it bans the address: they must not go on. */
const ADVICE: Readonly<Record<number, string>> = {
  401: "The token is not accepted: set the right one, then enable the endpoint again.",
  403: "The permission is missing: grant it in Discord, then enable the endpoint again.",
};

const GONE = "The target is gone: give the endpoint another one and enable it again, or delete it.";

interface Delivery {
  readonly event: Event;
  readonly keepsState: boolean;
  /** Of the message that was edited; null when one was posted. */
  readonly edited: DiscordMessageState | null;
  /** A direct send has none, which could hold its deliveries. */
  readonly hasEndpoint: boolean;
}

interface Answer {
  readonly status: number;
  /** Parsed. */
  readonly body: unknown;
  /** The header, in seconds. */
  readonly retryAfter: string | undefined;
}

/** Reads Discord's answer to a message that was posted or edited. */
export function interpretResponse(
  { status, body, retryAfter }: Answer,
  { event, edited, keepsState, hasEndpoint }: Delivery,
): Interpretation<DiscordMessageState> {
  if (status >= 200 && status < 300) {
    const message = keepsState ? (edited ?? messageIn(body)) : null;
    return message === null
      ? { outcome: "delivered" }
      : { outcome: "delivered", state: { ...message, shows: shownBy(event) } };
  }
  const { code, message } = describeApiError(body);
  const reason = `Discord answered ${status}${message === undefined ? "" : `: ${message}`}${code === undefined ? "" : ` (${code})`}`;
  if (status === 429) {
    return { outcome: "retry", reason, retryAfterMs: retryAfterMs(body, retryAfter) };
  }
  if (status === 404 && edited !== null && (code === UNKNOWN_MESSAGE || code === undefined)) {
    return {
      outcome: "retry",
      reason: "the message was deleted, a new one follows",
      retryInMs: 0,
      state: { ...edited, messageId: null, channelId: null },
    };
  }
  const advice = ADVICE[status];
  if (advice !== undefined && hasEndpoint) {
    // Tried again once the endpoint is enabled; until then the dispatcher holds it, and all that follow.
    return { outcome: "retry", reason: `${reason}. ${advice}`, disableEndpoint: true };
  }
  if (status === 404)
    return { outcome: "dead", reason: hasEndpoint ? `${reason}. ${GONE}` : reason, disableEndpoint: true };
  if (status >= 500 || status === 408) return { outcome: "retry", reason };
  return { outcome: "dead", reason };
}

function messageIn(body: unknown): DiscordMessageState | null {
  const { id, channel_id } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof id !== "string") return null;
  return { messageId: id, channelId: typeof channel_id === "string" ? channel_id : null };
}
