import type { DestinationResponse, Interpretation } from "@hookline/core";

/** The message that stands for an entity; nulls once it is known to be deleted. */
export interface SlackMessageState {
  readonly channelId: string | null;
  /** Slack's id of a message within its channel. */
  readonly ts: string | null;
  /** Of the newest event that it has shown: ISO 8601. */
  readonly shows: string;
}

interface Delivery {
  /** ISO 8601. */
  readonly eventTimestamp: string;
  readonly keepsState: boolean;
  /** Of the message that was edited; null when one was posted. */
  readonly edited: SlackMessageState | null;
}

/** Somebody has to do something in Slack first: the endpoint is disabled, what waits for it is held. */
const NEEDS_CARE = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "missing_scope",
  "no_permission",
  "not_in_channel",
  "restricted_action",
  "action_prohibited",
  "posting_to_general_channel_denied",
  "team_access_not_granted",
  "ekm_access_denied",
]);

/** There is nothing left to send to. */
const GONE = new Set([
  "channel_not_found",
  "is_archived",
  "channel_is_archived",
  "no_service",
  "no_active_hooks",
  "no_team",
  "team_disabled",
  "user_not_found",
]);

const MAY_PASS = new Set([
  "ratelimited",
  "rate_limited",
  "message_limit_exceeded",
  "rollup_error",
  "fatal_error",
  "internal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
]);

/** An edited message that is not there any more, or that Slack lets nobody edit any more. */
const MESSAGE_LOST = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);

/** Reads Slack's answer: a word for an incoming webhook, JSON with `ok` and `error` for the Web API. */
export function interpretResponse(
  response: DestinationResponse,
  delivery: Delivery,
): Interpretation<SlackMessageState> {
  const { status, body } = response;
  const answer = parse(body);
  const isOk = status >= 200 && status < 300;
  if (isOk && answer?.ok !== false) return delivered(answer, delivery);
  const code = errorCode(answer, body);
  const reason = `Slack answered ${status}${code === null ? "" : `: ${code}`}`;
  if (code !== null && MESSAGE_LOST.has(code) && delivery.edited !== null) {
    const state = { ...delivery.edited, channelId: null, ts: null };
    return { outcome: "retry", reason: `${reason}; a new message follows`, retryInMs: 0, state };
  }
  // A Retry-After is the dispatcher's to obey.
  if (status === 429 || status >= 500 || (code !== null && MAY_PASS.has(code))) return { outcome: "retry", reason };
  if (code !== null && GONE.has(code)) return { outcome: "dead", reason, disableEndpoint: true };
  if (status === 401 || status === 403 || (code !== null && NEEDS_CARE.has(code))) {
    const advice = "Put that right in Slack, then enable the endpoint again.";
    return { outcome: "retry", reason: `${reason}. ${advice}`, disableEndpoint: true };
  }
  if (status === 404 || status === 410) return { outcome: "dead", reason, disableEndpoint: true };
  return { outcome: "dead", reason };
}

function delivered(answer: Answer | null, delivery: Delivery): Interpretation<SlackMessageState> {
  const { ts, channel } = answer ?? {};
  if (!delivery.keepsState || typeof ts !== "string" || typeof channel !== "string") return { outcome: "delivered" };
  return { outcome: "delivered", state: { ts, channelId: channel, shows: delivery.eventTimestamp } };
}

interface Answer {
  readonly ok?: unknown;
  readonly error?: unknown;
  readonly ts?: unknown;
  readonly channel?: unknown;
}

function parse(text: string): Answer | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    // An incoming webhook answers with a word.
    return null;
  }
}

function errorCode(answer: Answer | null, body: string): string | null {
  const word = typeof answer?.error === "string" ? answer.error : body.trim();
  return /^[a-z_]{1,60}$/.test(word) ? word : null;
}
