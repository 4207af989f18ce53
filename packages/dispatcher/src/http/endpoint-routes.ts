import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { WebhookTarget } from "../destinations/webhook-target.js";
import type { Dispatcher } from "../dispatcher.js";
import type { Endpoint } from "../endpoint.js";
import { attemptSchema, showAttempt } from "./delivery-routes.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const pem = z.string().max(65_536).optional();

const target = {
  url: z.url().max(2048),
  scheme: z.string().max(64).optional(),
  profile: z.string().max(64).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  template: z
    .string()
    .max(32_768)
    .nullable()
    .optional()
    .openapi({ description: "A Liquid template that writes the body, JSON, instead of the profile; null for none." }),
  tls: z.object({ ca: pem, cert: pem, key: pem }).strict().nullable().optional().openapi({
    description: "Own authorities and a client certificate, in PEM; the key is never shown. Null for none.",
  }),
};
const changeable = {
  name: z.string().min(1).max(255),
  events: z.array(z.string().max(128)).min(1).max(100),
  active: z.boolean(),
};
const about = {
  description: z.string().max(1_000).nullable().optional(),
  metadata: z.record(z.string(), z.string().max(500)).nullable().optional().openapi({
    description: "50 texts at most, with names of 40 characters at most; replaced as a whole.",
  }),
  condition: z
    .record(z.string(), z.unknown())
    .nullable()
    .optional()
    .openapi({
      description:
        "Only events whose data are like this. $eq $ne $gt $gte $lt $lte $exists $in $nin $all $size $elemMatch $and $or $nor $not, as in MongoDB's queries.",
      example: { "ticket.priority": { $gte: 2 } },
    }),
};

const endpointSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    destination: z.string(),
    url: z.string().nullable().openapi({ description: "Null for an endpoint that is not a webhook." }),
    scheme: z.string().nullable(),
    profile: z.string().nullable(),
    template: z.string().nullable(),
    clientCertificate: z.boolean().openapi({ description: "Whether the endpoint is shown a certificate." }),
    description: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    condition: z.record(z.string(), z.unknown()).nullable(),
    verification: z.enum(["none", "pending", "verified"]).openapi({
      description: "While it is pending, deliveries are held.",
    }),
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
            ...about,
            verify: z
              .boolean()
              .optional()
              .openapi({ description: "Hold deliveries until the URL has answered a challenge." }),
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
      content: { "application/json": { schema: z.object({ ...target, ...about, ...changeable }).partial() } },
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

const verify = createRoute({
  method: "post",
  path: "/v1/endpoints/{endpointId}/verify",
  summary: "Ask the URL to answer a challenge; success has what was held delivered",
  description:
    'A signed POST of `{"type":"url_verification","challenge":"…"}`. The URL answers 2xx with the challenge, as plain text or as `{"challenge":"…"}`.',
  ...tags,
  request: { params: one },
  responses: {
    200: json(
      z.object({
        verified: z.boolean(),
        endpoint: endpointSchema,
        eventId: z.string(),
        deliveryId: z.string(),
        attempt: attemptSchema,
      }),
      "How it went.",
    ),
    ...refusals,
    ...notFound,
  },
});

/** `/v1/endpoints`: the tenant's subscribers. */
export function addEndpointRoutes(router: OpenAPIHono<TenantEnv>, { endpoints }: Dispatcher): void {
  router.openapi(create, async (c) => {
    const { url, scheme, profile, headers, template, tls, ...input } = c.req.valid("json");
    const target = given({ url, scheme, profile, headers, template, tls });
    const made = await endpoints.create({ tenantId: c.var.tenantId, target, ...given(input) });
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
    const { url, scheme, profile, headers, template, tls, ...changes } = c.req.valid("json");
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const targetChanges = present({ url, scheme, profile, headers, template, tls });
    const known = Object.keys(targetChanges).length === 0 ? null : await endpoints.get(endpoint);
    const target = known && { target: given({ ...(known.target as WebhookTarget), ...targetChanges }) };
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

  router.openapi(verify, async (c) => {
    const asked = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const { attempt, endpoint, ...rest } = await endpoints.verify(asked);
    return c.json({ ...rest, endpoint: show(endpoint), attempt: showAttempt(attempt) }, 200);
  });
}

/** Without what is undefined, or null for nothing. */
function given<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined | null> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value != null)) as never;
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
    template: webhook?.template ?? null,
    clientCertificate: webhook?.tls?.cert !== undefined,
    description: endpoint.description,
    metadata: { ...endpoint.metadata },
    condition: endpoint.condition === null ? null : { ...endpoint.condition },
    verification: endpoint.verification,
    events: [...endpoint.events],
    active: endpoint.active,
    disabledAt: endpoint.disabledAt?.toISOString() ?? null,
    disabledReason: endpoint.disabledReason,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}
