import { isErrorNamed } from "@hookline/core";

/** What can go wrong in this package. The outcome of a delivery is a value instead. */
export type SlackDestinationErrorCode = "invalid_option" | "invalid_target" | "bot_token_missing" | "invalid_message";

/** The error class of this package. Its message never holds a token or a webhook's URL. */
export class SlackDestinationError extends Error {
  override readonly name = "SlackDestinationError";
  readonly code: SlackDestinationErrorCode;

  constructor(code: SlackDestinationErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Tells an error of this package by name, also across two copies of it. */
export function isSlackDestinationError(error: unknown): error is SlackDestinationError {
  return isErrorNamed(error, "SlackDestinationError");
}
