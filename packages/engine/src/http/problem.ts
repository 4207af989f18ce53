import { z } from "@hono/zod-openapi";
import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** What a problem is made of. `code` is for programs, `detail` for people. */
export interface Problem {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly detail: string;
  /** What is wrong with which field of the request, as a JSON pointer such as `/query/limit`. */
  readonly errors?: readonly FieldError[];
}

export interface FieldError {
  readonly pointer: string;
  readonly message: string;
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
  503: "Service Unavailable",
};

/**
 * Answers an error as problem details.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example return problem(c, { status: 404, code: "ticket_not_found", detail: "There is no such ticket." });
 */
export function problem(c: Context, { status, code, detail, errors }: Problem): ProblemResponse {
  const body = {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    code,
    detail,
    ...(errors ? { errors } : {}),
  };
  const response: Response = c.body(JSON.stringify(body), status, { "content-type": "application/problem+json" });
  return response as ProblemResponse;
}

/** A response that a typed handler may return whatever statuses its route declares. */
export type ProblemResponse = Response & TypedResponse<never, never, never>;

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem", { description: "An error as problem details (RFC 9457)." });

/** The response of a documented route for one or more error statuses. */
export function problemResponses<const Status extends number>(
  descriptions: Readonly<Record<Status, string>>,
): Record<Status, { description: string; content: { "application/problem+json": { schema: typeof problemSchema } } }> {
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, description]) => [
      status,
      { description, content: { "application/problem+json": { schema: problemSchema } } },
    ]),
  ) as never;
}
