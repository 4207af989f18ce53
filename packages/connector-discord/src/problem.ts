/** A refusal as RFC 9457 describes it, with the code that programs read. */
export function problem(status: number, code: string, detail: string): Response {
  return Response.json(
    { type: "about:blank", title: TITLES[status] ?? "Error", status, code, detail },
    { status, headers: { "content-type": "application/problem+json" } },
  );
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  409: "Conflict",
  413: "Content Too Large",
  502: "Bad Gateway",
};
