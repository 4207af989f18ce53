import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { SOURCE_METHODS } from "../sources/check-source.js";
import { FIELD_IDENTITIES, FIELD_TYPES } from "../sources/field-schema.js";
import type { StoredSource } from "../sources/stored-source.js";
import { actorOf } from "./access-routes.js";
import { answerRefusals } from "./answer-refusals.js";
import { jsonAnswer, jsonBody } from "./json-content.js";
import { present } from "./present.js";
import { problem, problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

const field = z.strictObject({
  name: z.string(),
  type: z.enum(FIELD_TYPES),
  required: z.boolean().optional(),
  description: z.string().optional(),
  identity: z.enum(FIELD_IDENTITIES).optional().openapi({ description: "Of a string: whom the event is about." }),
});
const definition = {
  description: z.string().nullable(),
  method: z.enum(SOURCE_METHODS),
  fields: z.array(field),
  allowedAddresses: z.array(z.string()),
  preventReplay: z.boolean(),
  requestsPerMinute: z.number().openapi({ description: "Of one address: 1 to 10,000; 100 when absent." }),
  maxBodyBytes: z.number().openapi({ description: "1,024 to 1,048,576; 262,144 when absent." }),
};
const sourceSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    endpoint: z.string(),
    path: z.string(),
    eventType: z.string().openapi({ description: "What it publishes, for triggers of automations." }),
    active: z.boolean(),
    ...definition,
    bearer: z.boolean().openapi({ description: "Whether callers need its bearer token." }),
    signature: z.boolean().openapi({ description: "Whether callers have to sign." }),
    rotatedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Source");
const secrets = { bearerToken: z.string().nullable(), secret: z.string().nullable() };
const given = z.string().max(DEFAULTS.source.maxSecretCharacters);

const secured = { security: [{ apiKey: [] }], tags: ["Sources"] };
const refusals = problemResponses({
  400: "The request is not of this form.",
  401: "No valid API key.",
  403: "The scope is missing.",
});
const notFound = problemResponses({ 404: "There is no such source." });
const unfit = problemResponses({ 422: "The source will not do: its detail names each fault." });
const params = z.object({ sourceId: z.string().max(128) });

const list = createRoute({
  method: "get",
  path: "/v1/sources",
  summary: "List sources, newest first, without their secrets",
  ...secured,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(DEFAULTS.maxPageLimit).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      z.object({ sources: z.array(sourceSchema), nextCursor: z.string().nullable() }),
      "A page of sources.",
    ),
    ...refusals,
  },
});

const create = createRoute({
  method: "post",
  path: "/v1/sources",
  summary: "Make a source for webhooks that come in; its secrets are in this answer only",
  ...secured,
  request: {
    body: jsonBody(
      z.strictObject({
        endpoint: z.string(),
        ...z.object(definition).partial().shape,
        bearerToken: given.nullable().optional().openapi({ description: "Made when absent; null: callers need none." }),
        secret: given.nullable().optional().openapi({ description: "Made when absent; null: callers need not sign." }),
        open: z.boolean().optional().openapi({ description: "Takes requests from anybody: both of them are null." }),
      }),
    ),
  },
  responses: {
    201: jsonAnswer(sourceSchema.extend(secrets), "The source."),
    ...refusals,
    ...unfit,
    ...problemResponses({ 409: "The tenant has a source of this name." }),
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/sources/{sourceId}",
  summary: "Get a source, without its secrets",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(sourceSchema, "The source."), ...refusals, ...notFound },
});

const update = createRoute({
  method: "patch",
  path: "/v1/sources/{sourceId}",
  summary: "Change the given fields; name and secrets stay",
  ...secured,
  request: { params, body: jsonBody(z.strictObject(definition).partial()) },
  responses: { 200: jsonAnswer(sourceSchema, "The source."), ...refusals, ...notFound, ...unfit },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/sources/{sourceId}",
  summary: "Delete a source; its executions and refusals are kept for their time",
  ...secured,
  request: { params },
  responses: { 204: { description: "It is gone." }, ...refusals, ...notFound },
});

const activate = createRoute({
  method: "post",
  path: "/v1/sources/{sourceId}/activate",
  summary: "Take requests again",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(sourceSchema, "The source."), ...refusals, ...notFound },
});

const deactivate = createRoute({
  method: "post",
  path: "/v1/sources/{sourceId}/deactivate",
  summary: "Answer every request with 404",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(sourceSchema, "The source."), ...refusals, ...notFound },
});

const rotate = createRoute({
  method: "post",
  path: "/v1/sources/{sourceId}/rotate-secrets",
  summary: "Make new secrets; the old ones fit beside them until the overlap ends (a day unless told)",
  ...secured,
  request: {
    params,
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({
            overlapSeconds: z.number().int().min(0).max(DEFAULTS.maxKeyOverlapSeconds).optional(),
            bearerToken: given.optional(),
            secret: given.optional(),
          }),
        },
      },
    },
  },
  responses: {
    200: jsonAnswer(
      sourceSchema.extend({ ...secrets, overlapEndsAt: z.iso.datetime() }),
      "The source; the secrets are in this answer only.",
    ),
    ...refusals,
    ...notFound,
    ...unfit,
    ...problemResponses({ 409: "Too many older secrets still fit." }),
  },
});

/** Sources that tenants make, behind API keys. */
export function createStoredSourceRoutes(engine: Engine): OpenAPIHono<ApiKeyEnv> {
  const { sources } = engine;
  const router = createRouter<ApiKeyEnv>();
  const readable = requireApiKey(engine, "read");
  const writable = requireApiKey(engine, "write");
  for (const path of ["/v1/sources", "/v1/sources/*"]) {
    router.use(path, (c, next) => (c.req.method === "GET" ? readable : writable)(c, next));
  }
  const byOf = (c: Context<ApiKeyEnv>) => ({ tenantId: c.var.principal.tenantId, actor: actorOf(c.var.principal) });

  router.openapi(list, async (c) => {
    const { tenantId } = c.var.principal;
    const { sources: found, nextCursor } = await sources.list({ ...present(c.req.valid("query")), tenantId });
    return c.json({ sources: found.map(shown), nextCursor }, 200);
  });

  router.openapi(create, (c) =>
    answered(c, async () => {
      const { endpoint, ...rest } = c.req.valid("json");
      return c.json(shown(await sources.create({ ...present(rest), endpoint, ...byOf(c) })), 201);
    }),
  );

  router.openapi(get, async (c) => {
    const { tenantId } = c.var.principal;
    const found = await sources.get({ tenantId, id: c.req.valid("param").sourceId });
    return found === null ? problem(c, NOT_FOUND) : c.json(shown(found), 200);
  });

  router.openapi(update, (c) =>
    answered(c, async () => {
      const reference = { ...byOf(c), id: c.req.valid("param").sourceId };
      return c.json(shown(await sources.update(reference, present(c.req.valid("json")))), 200);
    }),
  );

  router.openapi(remove, async (c) => {
    const deleted = await sources.delete({ ...byOf(c), id: c.req.valid("param").sourceId });
    return deleted ? c.body(null, 204) : problem(c, NOT_FOUND);
  });

  router.openapi(activate, (c) =>
    answered(c, async () =>
      c.json(shown(await sources.activate({ ...byOf(c), id: c.req.valid("param").sourceId })), 200),
    ),
  );

  router.openapi(deactivate, (c) =>
    answered(c, async () =>
      c.json(shown(await sources.deactivate({ ...byOf(c), id: c.req.valid("param").sourceId })), 200),
    ),
  );

  router.openapi(rotate, (c) =>
    answered(c, async () => {
      const reference = { ...byOf(c), id: c.req.valid("param").sourceId };
      const rotated = await sources.rotateSecrets({ ...present(c.req.valid("json") ?? {}), ...reference });
      return c.json(shown(rotated), 200);
    }),
  );

  return router;
}

const NOT_FOUND = { status: 404, code: "source_not_found", detail: "There is no such source." } as const;

const answered = answerRefusals({
  source_not_found: 404,
  name_taken: 409,
  too_many_secrets: 409,
  invalid_source: 422,
});

function shown<Shown extends StoredSource>(source: Shown) {
  return {
    ...source,
    fields: source.fields.map((one) => ({ ...one })),
    allowedAddresses: [...source.allowedAddresses],
  };
}
