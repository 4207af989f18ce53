import { z } from "@hono/zod-openapi";
import { type Problem, problemResponse } from "@hookline/core";
import type { Context, TypedResponse } from "hono";

/** A response that a typed handler may return whatever statuses its route declares. */
export type ProblemResponse = Response & TypedResponse<never, never, never>;

/**
 * Answers an error as problem details, with the headers that were set on the way.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example return problem(c, { status: 404, code: "ticket_not_found", detail: "There is no such ticket." });
 */
export function problem(c: Context, details: Problem): ProblemResponse {
  const response = problemResponse(details);
  return c.newResponse(response.body, response) as ProblemResponse;
}

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
