/** Discord's own code and sentence, where the body has them, and which fields of the body it did not take. */
export function describeApiError(body: unknown): { readonly code?: number; readonly message?: string } {
  if (typeof body !== "object" || body === null) return {};
  const { code, message, errors } = body as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly errors?: unknown;
  };
  const faults = [...fieldFaults(errors, [])];
  const named = faults.slice(0, MAX_FAULTS).join("; ");
  const more = faults.length > MAX_FAULTS ? `; and ${faults.length - MAX_FAULTS} more` : "";
  const said = typeof message === "string" ? message.slice(0, 300) : undefined;
  return {
    ...(typeof code === "number" ? { code } : {}),
    ...(said === undefined ? {} : { message: named === "" ? said : `${said}: ${named}${more}` }),
  };
}

const MAX_FAULTS = 3;
const MAX_DEPTH = 12;

/** Discord's tree of errors, `{ embeds: { 0: { title: { _errors: [{ message }] } } } }`, as `embeds.0.title: …`. */
function* fieldFaults(node: unknown, path: readonly string[]): Generator<string> {
  if (typeof node !== "object" || node === null || path.length > MAX_DEPTH) return;
  for (const [key, below] of Object.entries(node)) {
    if (key !== "_errors") yield* fieldFaults(below, [...path, key.slice(0, 100)]);
    else if (Array.isArray(below)) {
      for (const fault of below) {
        const said = typeof fault?.message === "string" ? fault.message.slice(0, 200) : "is refused";
        yield path.length === 0 ? said : `${path.join(".")}: ${said}`;
      }
    }
  }
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
