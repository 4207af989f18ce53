import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { Dispatcher } from "../dispatcher.js";
import { id, json, notFound, refusals, type TenantEnv } from "./router.js";

const one = z.object({ eventId: id });
const tags = { tags: ["Events"], security: [{ apiKey: [] }] };

const get = createRoute({
  method: "get",
  path: "/v1/events/{eventId}",
  summary: "Get an event; its data are null once they were expunged",
  ...tags,
  request: { params: one },
  responses: {
    200: json(
      z
        .object({
          id: z.string(),
          type: z.string(),
          timestamp: z.iso.datetime(),
          subjectId: z.string().nullable(),
          data: z.unknown(),
          expungedAt: z.iso.datetime().nullable(),
        })
        .openapi("StoredEvent"),
      "The event.",
    ),
    ...refusals,
    ...notFound,
  },
});

const expunge = createRoute({
  method: "post",
  path: "/v1/events/{eventId}/expunge",
  summary: "Take the payload out of an event for good; deliveries that wait for it end as dead",
  ...tags,
  request: { params: one },
  responses: {
    200: json(
      z.object({
        id: z.string(),
        expungedAt: z.iso.datetime(),
        endedDeliveries: z.number().int(),
        inFlight: z.number().int(),
      }),
      "What became of it.",
    ),
    ...refusals,
    ...notFound,
  },
});

/** `/v1/events/{id}`: one event, and the end of its payload. */
export function addEventRoutes(router: OpenAPIHono<TenantEnv>, { events }: Dispatcher): void {
  router.openapi(get, async (c) => {
    const { eventId: id } = c.req.valid("param");
    const found = await events.get({ tenantId: c.var.tenantId, id });
    if (found === null) {
      return problemResponse({ status: 404, code: "event_not_found", detail: `There is no event "${id}".` }) as never;
    }
    const { type, timestamp, subjectId = null, data, expungedAt } = found;
    return c.json(
      { id, type, timestamp, subjectId, data, expungedAt: expungedAt?.toISOString() ?? null } as never,
      200,
    );
  });

  router.openapi(expunge, async (c) => {
    const event = { tenantId: c.var.tenantId, id: c.req.valid("param").eventId };
    const { expungedAt, ...expunged } = await events.expunge(event);
    return c.json({ ...expunged, expungedAt: expungedAt.toISOString() }, 200);
  });
}
