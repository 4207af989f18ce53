import { isDiscordConnectorError } from "../errors.js";

/** What became of an action. */
export type DiscordActionResult<Output = object> = ({ readonly ok: true } & Output) | DiscordActionFailure;

/**
 * Why Discord did not do it. `retry`: whether another try may do better while nobody changes anything.
 *
 * - `rate_limited`: not before `retryAfterMs`; also while requests are stopped since Discord refused too many
 * - `unavailable`: Discord did not answer, or with 5xx
 * - `direct_messages_closed`: the person takes no direct messages from the bot
 * - `missing_access`: the bot can't see the channel; `missing_permission`: it lacks the permission, or its highest role
 *   stands below the one that it should give
 * - `not_the_author`: only its own messages can be edited
 * - `unauthorized`: the bot's token is not accepted
 * - `refused`: anything else, such as a message that Discord does not take; `message` says what
 */
export type DiscordActionFailure =
  | {
      readonly ok: false;
      readonly code: "rate_limited";
      readonly retry: true;
      readonly retryAfterMs: number;
      readonly message: string;
    }
  | { readonly ok: false; readonly code: "unavailable"; readonly retry: true; readonly message: string }
  | { readonly ok: false; readonly code: DiscordRefusalCode; readonly retry: false; readonly message: string };

export type DiscordRefusalCode =
  | "unknown_guild"
  | "unknown_channel"
  | "unknown_message"
  | "unknown_member"
  | "unknown_role"
  | "unknown_user"
  | "direct_messages_closed"
  | "missing_access"
  | "missing_permission"
  | "not_the_author"
  | "unauthorized"
  | "refused";

/** @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
const REFUSALS: ReadonlyMap<number, DiscordRefusalCode> = new Map([
  [10_003, "unknown_channel"],
  [10_004, "unknown_guild"],
  [10_007, "unknown_member"],
  [10_008, "unknown_message"],
  [10_011, "unknown_role"],
  [10_013, "unknown_user"],
  [50_001, "missing_access"],
  [50_005, "not_the_author"],
  [50_007, "direct_messages_closed"],
  [50_013, "missing_permission"],
  [50_033, "unknown_user"],
  // They share no server.
  [50_278, "direct_messages_closed"],
]);

/** Does it, and reads what Discord refuses as an answer. Throws what is no matter of Discord's. */
export async function toResult<Output extends object>(
  act: () => Promise<Output>,
): Promise<DiscordActionResult<Output>> {
  try {
    return { ok: true, ...(await act()) };
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): DiscordActionFailure {
  if (!isDiscordConnectorError(error)) throw error;
  const { code, message, status, discordCode } = error;
  if (code === "rate_limited" || code === "too_many_invalid_requests") {
    return { ok: false, code: "rate_limited", retry: true, retryAfterMs: error.retryAfterMs ?? 1_000, message };
  }
  if (code !== "api_error" && code !== "api_unreachable") throw error;
  if (status === undefined || status >= 500 || status === 408) {
    return { ok: false, code: "unavailable", retry: true, message };
  }
  // Code 0 only repeats the status. Any other that is not known, such as one of the moderation's, speaks for itself.
  const refusal = discordCode ? (REFUSALS.get(discordCode) ?? "refused") : (BY_STATUS.get(status) ?? "refused");
  return { ok: false, code: refusal, retry: false, message: [message, ...adviceFor(refusal, error.path)].join(". ") };
}

const BY_STATUS: ReadonlyMap<number, DiscordRefusalCode> = new Map([
  [401, "unauthorized"],
  [403, "missing_permission"],
]);

function adviceFor(refusal: DiscordRefusalCode, path = ""): readonly string[] {
  const isRole = refusal === "missing_permission" && path.includes("/roles/");
  const advice = isRole ? ROLE_ADVICE : ADVICE[refusal];
  return advice === undefined ? [] : [advice];
}

/** What helps, for who reads why an automation's step or an action of yours did nothing. */
const ADVICE: Partial<Record<DiscordRefusalCode, string>> = {
  unauthorized: "Set the bot token that the Developer Portal shows",
  missing_access: "Let the bot see the channel",
  missing_permission: "Give the bot the permission for it",
  direct_messages_closed: "They take no direct messages from the bot, or share no server with it",
};
const ROLE_ADVICE = "Give the bot Manage Roles, and move its own role above this one in the server's settings";
