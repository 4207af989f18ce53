import { isErrorNamed } from "@hookline/core";

/**
 * Why the simulator refused. The same codes come over the control API.
 *
 * - `port_in_use`, `listen_failed`: the server could not start
 * - `not_started`: an address was asked for before `start()`
 * - `invalid_input`: an option or a control request has the wrong shape
 * - `unknown_guild`, `unknown_channel`, `unknown_member`, `unknown_role`, `unknown_message`, `unknown_interaction`,
 *   `unknown_component`, `unknown_emoji`, `unknown_command`, `unknown_action`: no such thing
 * - `not_a_member`: that user has not joined the guild
 * - `not_permitted`: the member lacks a permission for it
 * - `component_disabled`: a disabled or link button was pressed
 * - `invalid_option`, `invalid_field`, `invalid_choice`: what the client of a person would not let them send
 * - `no_modal`, `no_reply`: the interaction was answered otherwise, or not in time
 * - `interaction_failed`: the person sees "The application did not respond" or the like; `message` says why
 * - `interactions_url_refused`, `webhook_events_url_refused`: the probe failed, the address was not saved
 * - `not_authorized`: that user has not authorized the application
 * - `timed_out`: what was waited for did not happen
 * - `request_failed`: the control API could not be reached
 */
export type DiscordSimulatorErrorCode =
  | "port_in_use"
  | "listen_failed"
  | "not_started"
  | "invalid_input"
  | "unknown_guild"
  | "unknown_channel"
  | "unknown_member"
  | "unknown_role"
  | "unknown_message"
  | "unknown_interaction"
  | "unknown_component"
  | "unknown_emoji"
  | "unknown_command"
  | "unknown_action"
  | "not_a_member"
  | "not_permitted"
  | "component_disabled"
  | "invalid_option"
  | "invalid_field"
  | "invalid_choice"
  | "no_modal"
  | "no_reply"
  | "interaction_failed"
  | "interactions_url_refused"
  | "webhook_events_url_refused"
  | "not_authorized"
  | "timed_out"
  | "request_failed";

/** Thrown by the simulator, its member face and its remote client. */
export class DiscordSimulatorError extends Error {
  override readonly name = "DiscordSimulatorError";
  readonly code: DiscordSimulatorErrorCode;

  constructor(code: DiscordSimulatorErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Tells a {@link DiscordSimulatorError} by its name, also across two copies of this package. */
export function isDiscordSimulatorError(error: unknown): error is DiscordSimulatorError {
  return isErrorNamed(error, "DiscordSimulatorError");
}
