import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import { WEBHOOK_DESTINATION_ID } from "../destinations/webhook.js";
import type { Dispatcher } from "../dispatcher.js";
import type { Endpoint, EndpointPolicy } from "../endpoint.js";
import { DispatcherError } from "../errors.js";
import { attemptSchema, showAttempt } from "./delivery-routes.js";
import {
  about,
  changeable,
  endpointSchema,
  otherTarget,
  rules,
  showEndpoint as show,
  webhook,
} from "./endpoint-schema.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const one = z.object({ endpointId: id });
const tags = { tags: ["Endpoints"], security: [{ apiKey: [] }] };

const create = createRoute({
  method: "post",
  path: "/v1/endpoints",
  summary: "Make an endpoint; the secret is in this answer only",
  description:
    "A webhook, with `url` and what belongs to it; or with `destination` and `target` an endpoint of another destination that is offered here.",
  ...tags,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            ...webhook,
            url: webhook.url.optional(),
            destination: z.string().min(1).max(64).optional().openapi({ description: "Default webhook." }),
            target: otherTarget.optional(),
            ...about,
            ...rules,
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
      content: {
        "application/json": {
          schema: z.strictObject({ ...webhook, target: otherTarget, ...about, ...rules, ...changeable }).partial(),
        },
      },
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
  responses: { 204: { description: "It is gone." }, ...refusals, ...notFound, ...conflict },
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
          schema: z.strictObject({
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
    body: { content: { "application/json": { schema: z.strictObject({ type: z.string().max(128).optional() }) } } },
  },
  responses: {
    200: json(z.object({ eventId: z.string(), deliveryId: z.string(), attempt: attemptSchema }), "How it went."),
    ...refusals,
    ...notFound,
    ...conflict,
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
    ...conflict,
  },
});

/** `/v1/endpoints`: the tenant's subscribers. Callers make endpoints of `destinations` beside `webhook`. */
export function addEndpointRoutes(
  router: OpenAPIHono<TenantEnv>,
  { endpoints }: Dispatcher,
  { destinations }: { readonly destinations: readonly string[] },
): void {
  router.openapi(create, async (c) => {
    const { url, scheme, profile, headers, template, tls, ...input } = c.req.valid("json");
    const { destination = WEBHOOK_DESTINATION_ID, target: ofOther, policy, verify, ...rest } = input;
    const ofWebhook = given({ url, scheme, profile, headers, template, tls });
    if (destination !== WEBHOOK_DESTINATION_ID && !destinations.includes(destination)) {
      throw refusal("unknown_destination", "destination", "is not offered here");
    }
    const target = targetFor(destination, { ofWebhook, ofOther });
    const first = destination === WEBHOOK_DESTINATION_ID ? "url" : "target";
    if (target === undefined || (first === "url" && url === undefined))
      throw refusal("invalid_endpoint", first, "is missing");
    const made = await endpoints.create({
      tenantId: c.var.tenantId,
      destination,
      target,
      ...given(rest),
      // A caller cannot exempt itself of `verifyEndpoints`.
      ...(verify && { verify }),
      ...(policy && { policy: policy as EndpointPolicy }),
    });
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
    const { url, scheme, profile, headers, template, tls, target, policy, ...changes } = c.req.valid("json");
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const ofWebhook = present({ url, scheme, profile, headers, template, tls });
    const known = await endpoints.get(endpoint);
    const refused = refusalFor(known, endpoint.id);
    if (known === null || refused !== null) return refused as never;
    const changed = changedTarget(known, { ofWebhook, ofOther: target });
    const changesOfAll = { ...present(changes), ...(policy && { policy: policy as EndpointPolicy }) };
    return c.json(show(await endpoints.update(endpoint, { ...changesOfAll, ...changed })), 200);
  });

  router.openapi(remove, async (c) => {
    const { endpointId: id } = c.req.valid("param");
    const refused = refusalFor(await endpoints.get({ tenantId: c.var.tenantId, id }), id);
    if (refused !== null) return refused as never;
    const deleted = await endpoints.delete({ tenantId: c.var.tenantId, id });
    return deleted ? c.body(null, 204) : (unknownEndpoint(id) as never);
  });

  router.openapi(rotateSecret, async (c) => {
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const refused = refusalFor(await endpoints.get(endpoint), endpoint.id);
    if (refused !== null) return refused as never;
    const rotated = await endpoints.rotateSecret({ ...endpoint, ...present(c.req.valid("json")) });
    const { secret, overlapEndsAt } = rotated;
    return c.json({ ...show(rotated), secret, overlapEndsAt: overlapEndsAt.toISOString() }, 200);
  });

  router.openapi(test, async (c) => {
    const endpoint = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const refused = refusalFor(await endpoints.get(endpoint), endpoint.id);
    if (refused !== null) return refused as never;
    const { attempt, ...ids } = await endpoints.test({ ...endpoint, ...present(c.req.valid("json")) });
    return c.json({ ...ids, attempt: showAttempt(attempt) }, 200);
  });

  router.openapi(verify, async (c) => {
    const asked = { tenantId: c.var.tenantId, id: c.req.valid("param").endpointId };
    const refused = refusalFor(await endpoints.get(asked), asked.id);
    if (refused !== null) return refused as never;
    const { attempt, endpoint, ...rest } = await endpoints.verify(asked);
    return c.json({ ...rest, endpoint: show(endpoint), attempt: showAttempt(attempt) }, 200);
  });
}

/** Without what is undefined, or null for nothing. */
function given<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined | null> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value != null)) as never;
}

/** What a request says of a target: in the fields of a webhook, or in those of another destination. */
interface Targets {
  readonly ofWebhook: object;
  readonly ofOther: Readonly<Record<string, unknown>> | undefined;
}

/** What an update makes of it; nothing where nothing is changed. */
function changedTarget(
  { destination }: Endpoint,
  changes: Targets,
): { readonly target?: unknown; readonly targetChanges?: Readonly<Record<string, unknown>> } {
  if (Object.keys(changes.ofWebhook).length === 0 && changes.ofOther === undefined) return {};
  const target = targetFor(destination, changes);
  return destination === WEBHOOK_DESTINATION_ID
    ? { targetChanges: target as Readonly<Record<string, unknown>> }
    : { target };
}

/** Refuses the fields that do not belong to the destination. */
function targetFor(destination: string, { ofWebhook, ofOther }: Targets): object | undefined {
  if (destination === WEBHOOK_DESTINATION_ID) {
    if (ofOther !== undefined) throw refusal("invalid_endpoint", "target", "is for other destinations: name the url");
    return ofWebhook;
  }
  const [field] = Object.keys(ofWebhook);
  if (field !== undefined) throw refusal("invalid_endpoint", field, `is not a field of "${destination}"`);
  return ofOther;
}

function refusal(code: "invalid_endpoint" | "unknown_destination", path: string, message: string): DispatcherError {
  return new DispatcherError(code, `The endpoint's ${path} ${message}.`, { issues: [{ path, message }] });
}

/** Why a caller may do nothing with it; null when it is the caller's own. */
function refusalFor(known: Endpoint | null, id: string): Response | null {
  if (known === null) return unknownEndpoint(id);
  return known.key === null ? null : keptBySubscription(id);
}

function keptBySubscription(id: string): Response {
  const detail = `The endpoint "${id}" belongs to a subscription of the application, which alone changes and tries it.`;
  return problemResponse({ status: 409, code: "endpoint_of_subscription", detail });
}

function unknownEndpoint(id: string): Response {
  return problemResponse({ status: 404, code: "endpoint_not_found", detail: `There is no endpoint "${id}".` });
}
