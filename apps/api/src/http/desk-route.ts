import { z } from "@hono/zod-openapi";
import { problemResponses } from "@hookline/engine";

/** What every route of the desk says of itself in the OpenAPI document. */
export const SECURED = { security: [{ apiKey: [] }], tags: ["Desk"] };

export const REFUSALS = problemResponses({
  400: "The request is not of this form.",
  401: "No valid API key.",
  403: "The scope is missing.",
});

/** An answer in JSON. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** The id of a thing in the path. */
export const idParam = z.string().max(128);

/** A line of text that is not empty. */
export const line = (maxCharacters = 300) => z.string().trim().min(1).max(maxCharacters);

/** A text of several lines that is not empty. */
export const longText = () => z.string().trim().min(1).max(10_000);
