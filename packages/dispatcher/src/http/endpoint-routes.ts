import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { WebhookTarget } from "../destinations/webhook-target.js";
import type { Dispatcher } from "../dispatcher.js";
import type { Endpoint } from "../endpoint.js";
import { attemptSchema, showAttempt } from "./delivery-routes.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const target = {
  url: z.url().max(2048),
  scheme: z.string().max(64).optional(),
  profile: z.string().max(64).optional(),
  headers: z.record(z.string(), z.string()).optional(),
};
const changeable = {
  name: z.string().min(1).max(255),
  events: z.array(z.string().max(128)).min(1).max(100),
  active: z.boolean(),
};

const endpointSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    destination: z.string(),
    url: z.string().nullable().openapi({ description: "Null for an endpoint that is not a webhook." }),
    scheme: z.string().nullable(),
    profile: z.string().nullable(),
    events: z.array(z.string()),
    active: z.boolean(),
    disabledAt: z.iso.datetime().nullable(),
    disabledReason: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Endpoint");

const one = z.object({ endpointId: id });
const tags = { tags: ["Endpoints"], security: [{ apiKey: [] }] };

const create = createRoute({
  method: "post",
  path: "/v1/endpoints",
  summary: "Make a webhook endpoint; the secret is in this answer only",
  ...tags,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({
            ...target,
            events: changeable.events,
            name: changeable.name.optional(),
            active: changeable.active.optional(),
            secret: z.string().max(512).optional(),
          }),
        },
      },
    },
  },
  responses: {
    201: json(endpointSchema.extend({ secret: z.string().nullable() }), "The endpoint."),
    ...refusals,
    ...conflict,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/endpoints",
  summary: "List endpoints, oldest first",
  ...tags,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(200).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: json(z.object({ endpoints: z.array(endpointSchema), nextCursor: z.string().nullable() }), "A page of them."),
    ...refusals,
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/endpoints/{endpointId}",
  summary: "Get an endpoint",
  ...tags,
  request: { params: one },
  responses: { 200: json(endpointSchema, "The endpoint."), ...refusals, ...notFound },
});

const change = createRoute({
  method: "patch",
  path: "/v1/endpoints/{endpointId}",
  summary: "Change the given fields; `active: true` puts what was held in line",
  ...tags,
  request: {
    params: one,
    body: {
      required: true,
      content: { "application/json": { schema: z.object({ ...target, ...changeable }).partial() } },
    },
  },
  responses: { 200: json(endpointSchema, "The endpoint."), ...refusals, ...notFound, ...conflict },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/endpoints/{endpointId}",
  summary: "Delete an endpoint; what waits for it ends as dead",
  ...tags,
  request: { params: one },
  responses: { 204: { description: "It is gone." }, ...refusals, ...notFound },
});

const rotateSecret = createRoute({
  method: "post",
  path: "/v1/endpoints/{endpointId}/rotate-secret",
  summary: "Sign with a new secret, and beside it with the older ones until the overlap ends",
  ...tags,
  request: {
    params: one,
    body: {
      content: {
        "application/json": {
          schema: z.object({
            secret: z.string().max(512).optional(),
            overlapMs: z.number().int().min(0).optional().openapi({ description: "Default a day; 0 revokes at once." }),
          }),
        },
      },
    },
  },
  responses: {
    200: json(
      endpointSchema.extend({ secret: z.string(), overlapEndsAt: z.iso.datetime() }),
      "The endpoint; the secret is in this answer only.",
    ),
    ...refusals,
    ...notFound,
    ...conflict,
  },
});

const test = createRoute({
  method: "post",
  path: "/v1/endpoints/{endpointId}/test",
  summary: "Send webhook.test, or the example of an event type, right now and once",
  ...tags,
  request: {
    params: one,
    body: { content: { "application/json": { schema: z.object({ type: z.string().max(128).optional() }) } } },
  },
  responses: {
    200: json(z.object({ eventId: z.string(), deliveryId: z.string(), attempt: attemptSchema }), "How it went."),
    ...refusals,
    ...notFound,
  },
});

/** `/v1/endpoints`: the tenant's subscribers. */
export function addEndpointRoutes(router: OpenAPIHono<TenantEnv>, { endpoints }: Dispatcher): void {
  router.openapi(create, async (c) => {
    const { url, scheme, profile, headers, ...input } = c.req.valid("json");
    const target = present({ url, scheme, profile, headers });
    const made = await endpoints.create({ tenantId: c.var.tenantId, target, ...present(input) });
    return c.json({ ...show(made), secret: made.secret }, 201);
  });

  router.openapi(list, async (c) => {
    const page = await endpoints.list({ tenantId: c.var.tenantId, ...present(c.req.valid("query")) });
    return c.json({ endpoints: page.endpoints.map(show), nextCursor: page.nextCursor }, 200);
  });

  router.openapi(get, async (c) => {
    const { endpointId: id } = c.req.valid("param");
    const found = await endpoints.get({ tenantId: c.var.tenantId, id });
    return found ? c.json(show(found), 200) : (unknownEndpoint(id) as never);
  });

  router.openapi(change, async (c) => {
    const { url, scheme, profile, headers, ...changes } = c.req.valid("json");
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const targetChanges = present({ url, scheme, profile, headers });
    const known = Object.keys(targetChanges).length === 0 ? null : await endpoints.get(endpoint);
    const target = known && { target: { ...(known.target as WebhookTarget), ...targetChanges } };
    return c.json(show(await endpoints.update(endpoint, { ...present(changes), ...target })), 200);
  });

  router.openapi(remove, async (c) => {
    const { endpointId: id } = c.req.valid("param");
    const deleted = await endpoints.delete({ tenantId: c.var.tenantId, id });
    return deleted ? c.body(null, 204) : (unknownEndpoint(id) as never);
  });

  router.openapi(rotateSecret, async (c) => {
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const rotated = await endpoints.rotateSecret({ ...endpoint, ...present(c.req.valid("json")) });
    const { secret, overlapEndsAt } = rotated;
    return c.json({ ...show(rotated), secret, overlapEndsAt: overlapEndsAt.toISOString() }, 200);
  });

  router.openapi(test, async (c) => {
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const { attempt, ...ids } = await endpoints.test({ ...endpoint, ...present(c.req.valid("json")) });
    return c.json({ ...ids, attempt: showAttempt(attempt) }, 200);
  });
}

function unknownEndpoint(id: string): Response {
  return problemResponse({ status: 404, code: "endpoint_not_found", detail: `There is no endpoint "${id}".` });
}

/** Headers and the targets of other destinations stay inside: they may hold a token. */
function show(endpoint: Endpoint) {
  const webhook = endpoint.destination === "webhook" ? (endpoint.target as WebhookTarget) : null;
  return {
    id: endpoint.id,
    name: endpoint.name,
    destination: endpoint.destination,
    url: webhook?.url ?? null,
    scheme: webhook ? (webhook.scheme ?? "standard-webhooks") : null,
    profile: webhook ? (webhook.profile ?? "standard") : null,
    events: [...endpoint.events],
    active: endpoint.active,
    disabledAt: endpoint.disabledAt?.toISOString() ?? null,
    disabledReason: endpoint.disabledReason,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}
