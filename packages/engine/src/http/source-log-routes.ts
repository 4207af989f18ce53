import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { EXECUTION_STATUSES } from "../sources/source-log.js";
import { automationExecutionSchema } from "./automation-execution-schema.js";
import { jsonAnswer } from "./json-content.js";
import { present } from "./present.js";
import { problem, problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

const status = z.enum(EXECUTION_STATUSES);

const executionSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    sourceId: z.string(),
    messageId: z.string().nullable().openapi({ description: "The signed id of the message, where there is one." }),
    status: status.openapi({ description: "duplicate: the sender had sent this message before; nothing was done." }),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
    eventIds: z.array(z.string()),
    payload: z.string().openapi({ description: "The body as it came." }),
    receivedAt: z.iso.datetime(),
    durationMs: z.number().int(),
  })
  .openapi("SourceExecution");

const refusalSchema = z
  .object({
    id: z.string(),
    tenantId: z.string().nullable().openapi({ description: "Null for an endpoint that nobody has." }),
    sourceId: z.string().nullable(),
    reason: z.string(),
    address: z.string(),
    path: z.string().nullable().openapi({ description: "What was asked for: unknown endpoints and wrong methods." }),
    refusedAt: z.iso.datetime(),
  })
  .openapi("SourceRefusal");

const secured = { security: [{ apiKey: [] }], tags: ["Sources"] };
const refusals = problemResponses({
  400: "A parameter is wrong.",
  401: "No valid API key.",
  403: "The scope is missing.",
});
const page = {
  sourceId: z.string().min(1).max(128).optional(),
  limit: z.coerce.number().int().min(1).max(DEFAULTS.maxPageLimit).optional(),
  cursor: z.string().max(512).optional(),
};
const nextCursor = z.string().nullable();
const rate = z.number().min(0).max(1).nullable();

const listExecutions = createRoute({
  method: "get",
  path: "/v1/source-executions",
  summary: "List the calls that sources accepted, newest first, with success and failure rate",
  ...secured,
  request: { query: z.object({ ...page, status: status.optional() }) },
  responses: {
    200: jsonAnswer(
      z.object({
        executions: z.array(executionSchema),
        nextCursor,
        totals: z
          .object({
            succeeded: z.number().int(),
            duplicate: z.number().int(),
            failed: z.number().int(),
            successRate: rate,
            failureRate: rate,
          })
          .openapi({ description: "Of all that are kept of this source, or of all sources." }),
      }),
      "A page of executions.",
    ),
    ...refusals,
  },
});

const getExecution = createRoute({
  method: "get",
  path: "/v1/source-executions/{executionId}",
  summary: "Get one execution by the id that its sender was answered, with the automations that its events run",
  ...secured,
  request: { params: z.object({ executionId: z.string().max(128) }) },
  responses: {
    200: jsonAnswer(executionSchema.extend({ automations: z.array(automationExecutionSchema) }), "The execution."),
    ...refusals,
    ...problemResponses({ 404: "There is no such execution." }),
  },
});

const listRefusals = createRoute({
  method: "get",
  path: "/v1/source-refusals",
  summary: "List the calls that sources refused, newest first: reason, address, time",
  description: "A key with the scope `tenants` is also shown what was asked of endpoints that nobody has.",
  ...secured,
  request: { query: z.object(page) },
  responses: {
    200: jsonAnswer(z.object({ refusals: z.array(refusalSchema), nextCursor }), "A page of refusals."),
    ...refusals,
  },
});

/** What came in through sources and what was refused, for API keys of the tenant with the scope `read`. */
export function createSourceLogRoutes(engine: Engine): OpenAPIHono<ApiKeyEnv> {
  const router = createRouter<ApiKeyEnv>();
  const readable = requireApiKey(engine, "read");
  for (const path of ["/v1/source-executions", "/v1/source-executions/*", "/v1/source-refusals"]) {
    router.use(path, readable);
  }
  const { sources, automations } = engine;

  router.openapi(listExecutions, async (c) => {
    const { tenantId } = c.var.principal;
    const { executions, ...rest } = await sources.executions({ ...present(c.req.valid("query")), tenantId });
    return c.json({ ...rest, executions: executions.map(writable) }, 200);
  });

  router.openapi(getExecution, async (c) => {
    const { tenantId } = c.var.principal;
    const execution = await sources.execution({ tenantId, id: c.req.valid("param").executionId });
    if (execution === null) {
      return problem(c, { status: 404, code: "execution_not_found", detail: "There is no such execution." });
    }
    const runs = await automations.executionsOfEvents({ tenantId, eventIds: execution.eventIds });
    return c.json({ ...writable(execution), automations: runs.map((run) => ({ ...run, steps: [...run.steps] })) }, 200);
  });

  router.openapi(listRefusals, async (c) => {
    const { tenantId, scopes } = c.var.principal;
    const { refusals: found, nextCursor: next } = await sources.refusals({
      ...present(c.req.valid("query")),
      tenantId,
      unclaimed: scopes.includes("tenants"),
    });
    return c.json({ refusals: [...found], nextCursor: next }, 200);
  });

  return router;
}

function writable<One extends { readonly eventIds: readonly string[] }>(execution: One) {
  return { ...execution, eventIds: [...execution.eventIds] };
}
