import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Dispatcher } from "../dispatcher.js";
import { json, refusals, type TenantEnv } from "./router.js";

const eventTypeSchema = z
  .object({
    type: z.string(),
    description: z.string(),
    schema: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: "JSON Schema (draft 2020-12) of the event's `data`; null where it is not known." }),
    example: z.unknown(),
  })
  .openapi("EventType");

const list = createRoute({
  method: "get",
  path: "/v1/event-types",
  summary: "List the event types that there are to subscribe to",
  tags: ["Event types"],
  security: [{ apiKey: [] }],
  responses: { 200: json(z.object({ eventTypes: z.array(eventTypeSchema) }), "The catalogue."), ...refusals },
});

/** `/v1/event-types`: the catalogue. */
export function addEventTypeRoutes(router: OpenAPIHono<TenantEnv>, { eventTypes }: Dispatcher): void {
  router.openapi(list, (c) => c.json({ eventTypes: eventTypes.list().map(show) }, 200));
}

function show({ schema, ...eventType }: ReturnType<Dispatcher["eventTypes"]["list"]>[number]) {
  return { ...eventType, schema: schema === null ? null : { ...schema } };
}
