/** Discord's own code and sentence, where the body has them. */
export function describeApiError(body: unknown): { readonly code?: number; readonly message?: string } {
  if (typeof body !== "object" || body === null) return {};
  const { code, message } = body as { readonly code?: unknown; readonly message?: unknown };
  return {
    ...(typeof code === "number" ? { code } : {}),
    ...(typeof message === "string" ? { message: message.slice(0, 300) } : {}),
  };
}

/** The longer of the body's `retry_after` and the header, both in seconds; one second where neither is a number. */
export function retryAfterMs(body: unknown, header: string | null | undefined): number {
  const inBody =
    typeof body === "object" && body !== null ? (body as { retry_after?: unknown }).retry_after : undefined;
  const seconds = [
    inBody,
    header === null || header === undefined || header === "" ? undefined : Number(header),
  ].filter((value): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0);
  return seconds.length === 0 ? 1_000 : Math.ceil(Math.max(...seconds) * 1_000);
}
