/**
 * Why a request is refused.
 *
 * - `missing_header`: a header that the scheme needs is absent or empty
 * - `duplicate_header`: a header came more than once
 * - `malformed_header`: a header does not have the scheme's form
 * - `too_many_signatures`: more signatures in the header than are looked at (16)
 * - `timestamp_too_old`, `timestamp_too_new`: outside the tolerance
 * - `unknown_signature`: no signature of a kind that the given secrets can check
 * - `signature_mismatch`: no signature fits the body and any of the secrets
 * - `body_too_large`: the body is longer than the adapter's limit
 * - `body_incomplete`: the connection ended before the body did
 * - `invalid_json`: thrown by `json()`: the body was verified and is not JSON
 */
export type WebhookVerificationErrorCode =
  | "missing_header"
  | "duplicate_header"
  | "malformed_header"
  | "too_many_signatures"
  | "timestamp_too_old"
  | "timestamp_too_new"
  | "unknown_signature"
  | "signature_mismatch"
  | "body_too_large"
  | "body_incomplete"
  | "invalid_json";

/** The request is at fault. `statusCode` is what to answer: 401, or 413 and 400 for the body. Holds no secret. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: WebhookVerificationErrorCode;
  /** Express and Fastify answer with it when they are handed the error. */
  readonly statusCode: 400 | 401 | 413;

  constructor(code: WebhookVerificationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.statusCode =
      code === "body_too_large" ? 413 : code === "invalid_json" || code === "body_incomplete" ? 400 : 401;
  }
}

/**
 * What is wrong with a secret.
 *
 * - `no_secret`: the list is empty
 * - `malformed_secret`: not a string, or not in the scheme's format
 * - `secret_too_short`, `secret_too_long`: outside the scheme's bounds
 * - `wrong_key`: a public key given for signing, or a private one for verifying
 */
export type WebhookSecretErrorCode =
  | "no_secret"
  | "malformed_secret"
  | "secret_too_short"
  | "secret_too_long"
  | "wrong_key";

/** The operator is at fault, whatever the request was: answer 500 and look at the configuration. Holds no secret. */
export class WebhookSecretError extends Error {
  override readonly name = "WebhookSecretError";
  readonly code: WebhookSecretErrorCode;

  constructor(code: WebhookSecretErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Tells a {@link WebhookVerificationError} by its name, also across two copies of this package. */
export function isWebhookVerificationError(error: unknown): error is WebhookVerificationError {
  return error instanceof Error && error.name === "WebhookVerificationError" && "code" in error;
}

/** Tells a {@link WebhookSecretError} by its name, also across two copies of this package. */
export function isWebhookSecretError(error: unknown): error is WebhookSecretError {
  return error instanceof Error && error.name === "WebhookSecretError" && "code" in error;
}
