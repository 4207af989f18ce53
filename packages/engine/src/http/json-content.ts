import type { z } from "@hono/zod-openapi";

/** An answer in JSON, as a route documents it. */
export function jsonAnswer<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body that has to be there, as a route of `createRouter` documents it. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}
