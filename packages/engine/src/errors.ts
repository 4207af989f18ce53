import { isErrorNamed } from "@hookline/core";

/** What an {@link EngineError} can say; the README explains each. */
export type EngineErrorCode =
  | "invalid_options"
  | "invalid_email"
  | "invalid_identity"
  | "invalid_event"
  | "invalid_properties"
  | "idempotency_key_reused"
  | "invalid_cursor"
  | "invalid_api_key"
  | "api_key_revoked"
  | "api_key_expired"
  | "credential_unreadable"
  | "erasure_unsupported"
  | "mail_failed"
  | "mail_refused"
  | "mail_unauthorized"
  | "mail_insecure"
  | "invalid_automation"
  | "automation_not_found"
  | "name_taken"
  | "invalid_source"
  | "source_not_found"
  | "too_many_secrets"
  | "closed";

/** What is wrong with one field, such as `steps.0.action`. */
export interface EngineErrorIssue {
  readonly path: string;
  readonly message: string;
}

/** The error of this package. `code` is for programs and part of its contract, the message is for people. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** Of `invalid_automation` and `invalid_source`: which fields; empty where it is about none of them. */
  readonly issues: readonly EngineErrorIssue[];

  constructor(
    code: EngineErrorCode,
    message: string,
    { issues = [], ...options }: { cause?: unknown; issues?: readonly EngineErrorIssue[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.issues = issues;
  }
}

/** True for an {@link EngineError}, also for one from another copy of this package. */
export function isEngineError(error: unknown): error is EngineError {
  return isErrorNamed(error, "EngineError");
}
