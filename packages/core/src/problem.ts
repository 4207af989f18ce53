/** What is wrong with a request: `code` is for programs, `detail` for people. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What is wrong with which field, as a JSON pointer such as `/body/url`. */
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[];
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/**
 * An error as every HTTP face of Hookline answers it: problem details.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function problemResponse({ status, code, detail, errors }: Problem): Response {
  return new Response(
    JSON.stringify({
      type: "about:blank",
      title: TITLES[status] ?? "Error",
      status,
      code,
      detail,
      ...(errors === undefined ? {} : { errors }),
    }),
    { status, headers: { "content-type": "application/problem+json" } },
  );
}
