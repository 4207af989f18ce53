import { isErrorNamed } from "@hookline/core";

/** What can end or refuse a gateway worker. What passes by itself (an outage, a lost socket) is no error. */
export type GatewayWorkerErrorCode =
  | "invalid_option"
  | "missing_peer"
  | "invalid_token"
  | "disallowed_intents"
  | "invalid_intents"
  | "invalid_shard"
  | "sharding_required"
  | "unsupported_api_version"
  | "spool_locked"
  | "spool_corrupt"
  | "spool_failed"
  | "health_port_in_use"
  | "health_failed"
  | "already_started"
  | "stopped";

/** The error class of the gateway worker. Its message says what to do and never holds a token or a secret. */
export class GatewayWorkerError extends Error {
  override readonly name = "GatewayWorkerError";
  readonly code: GatewayWorkerErrorCode;

  constructor(code: GatewayWorkerErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** Tells an error of the gateway worker by name, also across two copies of this package. */
export function isGatewayWorkerError(error: unknown): error is GatewayWorkerError {
  return isErrorNamed(error, "GatewayWorkerError");
}
