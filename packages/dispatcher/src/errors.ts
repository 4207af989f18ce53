import { isErrorNamed, type SchemaIssue } from "@hookline/core";

/**
 * - `invalid_options`: an option of `createDispatcher` is out of bounds, of another kind, or not known
 * - `invalid_event`: the event's shape is wrong, a field of it is not known, or its data do not fit the catalogue (`issues` says where)
 * - `event_too_large`: the data are longer than `maxEventBytes`
 * - `idempotency_conflict`: the key (or the id) was used before for another content
 * - `invalid_message`: a direct send's shape is wrong, or a field of it is not known
 * - `invalid_endpoint`: the endpoint's shape or target is wrong
 * - `address_refused`: the endpoint's URL holds an address that the address guard refuses
 * - `name_taken`: the tenant has an endpoint of that name
 * - `secret_unchanged`: a rotation names the secret that is the newest already
 * - `unknown_destination`: no destination of that id is registered
 * - `duplicate_destination`: a destination of that id is registered already
 * - `endpoint_not_found`, `delivery_not_found`, `event_not_found`: nothing of that id belongs to the tenant
 * - `endpoint_disabled`: the delivery is held until its endpoint is active
 * - `endpoint_unverified`: the endpoint is not active before `endpoints.verify` has succeeded
 * - `endpoint_unreadable`: the endpoint's target or secrets cannot be decrypted with the keys that there are
 * - `delivery_in_flight`: the delivery is being attempted right now
 * - `payload_expunged`: the payload is gone, so that it cannot be sent again
 * - `recovery_not_found`: the tenant has no recovery of that id
 * - `deadline_passed`: the delivery's deadline allows no further attempt
 * - `invalid_cursor`, `invalid_query`: a list or a look-up was asked for in a way that it cannot be answered
 * - `invalid_transaction`: what was passed as `transaction` runs no queries, does not answer rows, or has another name
 * - `not_migrated`: `start` was called before `migrate` had ever been
 * - `already_started`: `start` was called twice
 */
export type DispatcherErrorCode =
  | "invalid_options"
  | "invalid_event"
  | "event_too_large"
  | "idempotency_conflict"
  | "invalid_message"
  | "invalid_endpoint"
  | "address_refused"
  | "name_taken"
  | "secret_unchanged"
  | "unknown_destination"
  | "duplicate_destination"
  | "endpoint_not_found"
  | "delivery_not_found"
  | "event_not_found"
  | "endpoint_disabled"
  | "endpoint_unverified"
  | "endpoint_unreadable"
  | "delivery_in_flight"
  | "payload_expunged"
  | "recovery_not_found"
  | "deadline_passed"
  | "invalid_cursor"
  | "invalid_query"
  | "invalid_transaction"
  | "not_migrated"
  | "already_started";

/** One thing that is wrong with a value: where, and what. */
export interface FieldIssue {
  /** Such as `data.customer.email` or `url`. */
  readonly path: string;
  readonly message: string;
}

/** What a schema finds wrong, at paths below `root`. */
export function toFieldIssues(root: string, issues: readonly SchemaIssue[]): readonly FieldIssue[] {
  return issues.map(({ path = [], message }) => ({
    path: [root, ...path.map((part) => String(typeof part === "object" ? part.key : part))].join("."),
    message,
  }));
}

/** Everything that the dispatcher refuses. Failures of the database pass through as they are. */
export class DispatcherError extends Error {
  override readonly name = "DispatcherError";
  readonly code: DispatcherErrorCode;
  /** The fields at fault, where fields are. */
  readonly issues: readonly FieldIssue[];

  constructor(
    code: DispatcherErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly issues?: readonly FieldIssue[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
  }
}

/** Tells a {@link DispatcherError} by its name, also across two copies of this package. */
export function isDispatcherError(error: unknown): error is DispatcherError {
  return isErrorNamed(error, "DispatcherError");
}
