import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ApiKeyScope, Principal } from "../access/api-keys.js";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { jsonAnswer, jsonBody } from "./json-content.js";
import { present } from "./present.js";
import { type ProblemResponse, problem, problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

const scopes = z.array(z.enum(["read", "write", "admin", "tenants"])).min(1);
const apiKey = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    name: z.string(),
    prefix: z.string(),
    scopes,
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    expiresAt: z.iso.datetime().nullable(),
  })
  .openapi("ApiKey");
const newApiKey = apiKey.extend({ key: z.string() }).openapi("NewApiKey");
const auditEntry = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    actor: z.string(),
    action: z.string(),
    target: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    at: z.iso.datetime(),
  })
  .openapi("AuditEntry");

const refusals = problemResponses({
  400: "A parameter is wrong.",
  401: "No valid API key.",
  403: "The scope is missing.",
});
const notFound = problemResponses({ 404: "The tenant has no such key." });
const secured = { security: [{ apiKey: [] }], tags: ["Access"] };
const keyId = z.object({ id: z.string().max(128) });

const listKeys = createRoute({
  method: "get",
  path: "/v1/api-keys",
  summary: "List the API keys, newest first, without the keys themselves",
  ...secured,
  responses: { 200: jsonAnswer(z.object({ apiKeys: z.array(apiKey) }), "The keys."), ...refusals },
});
const createKey = createRoute({
  method: "post",
  path: "/v1/api-keys",
  summary: "Make an API key, with the scope tenants also for another tenant; the key is answered once",
  ...secured,
  request: {
    body: jsonBody(
      z.strictObject({
        name: z.string().min(1).max(DEFAULTS.maxNameCharacters),
        scopes: scopes.optional(),
        tenantId: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "must be a-z, A-Z, 0-9, _ and -, 64 characters at most")
          .optional(),
        expiresAt: z.iso.datetime().optional(),
      }),
    ),
  },
  responses: { 201: jsonAnswer(newApiKey, "The key."), ...refusals },
});
const rotateKey = createRoute({
  method: "post",
  path: "/v1/api-keys/{id}/rotate",
  summary: "Make a successor of an API key, and let the old one end after an overlap (a day unless told)",
  ...secured,
  request: {
    params: keyId,
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({
            overlapSeconds: z.number().int().min(0).max(DEFAULTS.maxKeyOverlapSeconds).optional(),
          }),
        },
      },
    },
  },
  responses: { 201: jsonAnswer(newApiKey, "The successor."), ...refusals, ...notFound },
});
const revokeKey = createRoute({
  method: "delete",
  path: "/v1/api-keys/{id}",
  summary: "Revoke an API key",
  ...secured,
  request: { params: keyId },
  responses: { 204: { description: "It opens nothing any more." }, ...refusals, ...notFound },
});
const listAudit = createRoute({
  method: "get",
  path: "/v1/audit",
  summary: "List administrative acts, newest first",
  ...secured,
  request: {
    query: z.object({
      action: z.string().max(128).optional(),
      target: z.string().max(255).optional(),
      limit: z.coerce.number().int().min(1).max(DEFAULTS.maxPageLimit).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(z.object({ entries: z.array(auditEntry), nextCursor: z.string().nullable() }), "A page of acts."),
    ...refusals,
  },
});

/** API keys and the audit log, for keys with the scope `admin`. */
export function createAccessRoutes(engine: Engine): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  const administrative = requireApiKey(engine, "admin");
  for (const path of ["/v1/api-keys", "/v1/api-keys/*", "/v1/audit"]) router.use(path, administrative);
  const { apiKeys, audit } = engine;

  router.openapi(listKeys, async (c) =>
    c.json({ apiKeys: await apiKeys.list({ tenantId: c.var.principal.tenantId }) } as never, 200),
  );

  router.openapi(createKey, async (c) => {
    const { principal } = c.var;
    const { name, scopes: wanted, expiresAt, tenantId = principal.tenantId } = c.req.valid("json");
    const isForeign = tenantId !== principal.tenantId;
    const wantsTenants = wanted?.includes("tenants") ?? false;
    if ((isForeign || wantsTenants) && !principal.scopes.includes("tenants")) return needsTenants(c);
    if (isForeign && wantsTenants) {
      const detail = 'The scope "tenants" stays in the tenant that has it.';
      return problem(c, { status: 403, code: "scope_missing", detail });
    }
    const made = await apiKeys.create({
      tenantId,
      name,
      actor: actorOf(principal),
      actorTenantId: principal.tenantId,
      ...(wanted ? { scopes: wanted as readonly ApiKeyScope[] } : {}),
      ...(expiresAt ? { expiresAt: new Date(expiresAt) } : {}),
    });
    return c.json(made as never, 201);
  });

  router.openapi(rotateKey, async (c) => {
    const { overlapSeconds } = c.req.valid("json") ?? {};
    const { id } = c.req.valid("param");
    const { tenantId, scopes: held } = c.var.principal;
    const old = (await apiKeys.list({ tenantId })).find((key) => key.id === id);
    // Whoever rotates a key is told its successor.
    if (old?.scopes.includes("tenants") && !held.includes("tenants")) return needsTenants(c);
    const made = await apiKeys.rotate({
      id,
      tenantId,
      actor: actorOf(c.var.principal),
      ...(overlapSeconds === undefined ? {} : { overlapSeconds }),
    });
    return made ? c.json(made as never, 201) : noKey(c);
  });

  router.openapi(revokeKey, async (c) => {
    const { principal } = c.var;
    const revoked = await apiKeys.revoke({
      ...c.req.valid("param"),
      tenantId: principal.tenantId,
      actor: actorOf(principal),
    });
    return revoked ? c.body(null, 204) : noKey(c);
  });

  router.openapi(listAudit, async (c) => {
    const query = { ...present(c.req.valid("query")), tenantId: c.var.principal.tenantId };
    return c.json((await audit.list(query)) as never, 200);
  });

  return router;
}

/** How the audit log names who holds a key. */
export function actorOf({ apiKeyId }: Principal): string {
  return `api_key:${apiKeyId}`;
}

function needsTenants(c: Parameters<typeof problem>[0]): ProblemResponse {
  const detail = 'Only an API key with the scope "tenants" makes keys for another tenant, or with that scope.';
  return problem(c, { status: 403, code: "scope_missing", detail });
}

function noKey(c: Parameters<typeof problem>[0]): ProblemResponse {
  return problem(c, { status: 404, code: "api_key_not_found", detail: "There is no such API key, or it has ended." });
}
