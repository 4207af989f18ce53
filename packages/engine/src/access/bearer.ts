/** The key of an `Authorization: Bearer` header, or null. */
export function bearerOf(request: Request): string | null {
  const match = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.get("authorization") ?? "");
  return match?.[1] ?? null;
}
