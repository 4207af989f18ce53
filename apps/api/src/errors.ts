/** Why the API did not start. */
export class ApiStartError extends Error {
  override readonly name = "ApiStartError";

  constructor(
    readonly code: "invalid_environment" | "port_in_use" | "redis_unavailable",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
