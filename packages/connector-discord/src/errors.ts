import { isErrorNamed } from "@hookline/core";

/** What can go wrong in this package. Outcomes that are expected, such as a refused signature, are answers instead. */
export type DiscordConnectorErrorCode =
  | "invalid_option"
  | "invalid_definition"
  | "duplicate_name"
  | "custom_id_too_long"
  | "unknown_component"
  | "invalid_target"
  | "bot_token_missing"
  | "api_error"
  | "api_unreachable"
  | "rate_limited"
  | "too_many_invalid_requests";

/** What an error of Discord's REST API adds. */
export interface DiscordApiErrorDetails {
  /** The HTTP status; absent when there was no answer. */
  readonly status?: number | undefined;
  /** Discord's own code, such as 10007 for an unknown member. */
  readonly discordCode?: number | undefined;
  readonly method?: string | undefined;
  /** The route with its ids; a token stands as `:token`. */
  readonly path?: string | undefined;
  /** For `rate_limited` and `too_many_invalid_requests`: how long to wait before another try. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** The error class of this package. Its message and its fields never hold a token. */
export class DiscordConnectorError extends Error {
  override readonly name = "DiscordConnectorError";
  readonly code: DiscordConnectorErrorCode;
  readonly status: number | undefined;
  readonly discordCode: number | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: DiscordConnectorErrorCode, message: string, details: DiscordApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.discordCode = details.discordCode;
    this.method = details.method;
    this.path = details.path;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Tells an error of this package by name, also across two copies of it. */
export function isDiscordConnectorError(error: unknown): error is DiscordConnectorError {
  return isErrorNamed(error, "DiscordConnectorError");
}
