import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Automation } from "../automations/automation-store.js";
import { DEFAULTS } from "../defaults.js";
import type { Engine } from "../engine.js";
import { actorOf } from "./access-routes.js";
import { answerRefusals } from "./answer-refusals.js";
import { automationExecutionSchema } from "./automation-execution-schema.js";
import { jsonAnswer, jsonBody } from "./json-content.js";
import { present } from "./present.js";
import { problem, problemResponses } from "./problem.js";
import { type ApiKeyEnv, requireApiKey } from "./require-api-key.js";
import { createRouter } from "./router.js";

const definition = {
  trigger: z.object({ events: z.array(z.string()) }),
  condition: z.record(z.string(), z.unknown()).optional(),
  steps: z.array(z.object({ id: z.string(), action: z.string(), input: z.unknown() })),
};
const name = z.string().min(1).max(200);

const automationSchema = z
  .object({
    id: z.string(),
    tenantId: z.string(),
    name: z.string(),
    active: z.boolean(),
    version: z.number().int(),
    ...definition,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Automation");

const testSchema = z
  .object({
    conditionMet: z.boolean(),
    steps: z.array(z.object({ id: z.string(), action: z.string(), input: z.unknown(), error: z.string().nullable() })),
  })
  .openapi("AutomationTest");

const secured = { security: [{ apiKey: [] }], tags: ["Automations"] };
const refusals = problemResponses({
  400: "The request is not of this form.",
  401: "No valid API key.",
  403: "The scope is missing.",
});
const notFound = problemResponses({ 404: "There is no such automation." });
const unfit = problemResponses({
  409: "The name is taken.",
  422: "The automation will not do: its detail names each fault.",
});
const params = z.object({ automationId: z.string().max(128) });

const list = createRoute({
  method: "get",
  path: "/v1/automations",
  summary: "List automations, and the actions that their steps can use",
  ...secured,
  responses: {
    200: jsonAnswer(
      z.object({
        automations: z.array(automationSchema),
        actions: z.array(z.object({ name: z.string(), description: z.string() })),
      }),
      "The automations.",
    ),
    ...refusals,
  },
});

const create = createRoute({
  method: "post",
  path: "/v1/automations",
  summary: "Create an automation; activate it to let it run",
  ...secured,
  request: { body: jsonBody(z.object({ name, ...definition })) },
  responses: { 201: jsonAnswer(automationSchema, "The automation."), ...refusals, ...unfit },
});

const get = createRoute({
  method: "get",
  path: "/v1/automations/{automationId}",
  summary: "Get an automation",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(automationSchema, "The automation."), ...refusals, ...notFound },
});

const update = createRoute({
  method: "patch",
  path: "/v1/automations/{automationId}",
  summary: "Change an automation; a changed definition is a new version, and null takes the condition away",
  ...secured,
  request: {
    params,
    body: jsonBody(z.object({ name, ...definition, condition: definition.condition.nullable() }).partial()),
  },
  responses: { 200: jsonAnswer(automationSchema, "The automation."), ...refusals, ...notFound, ...unfit },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/automations/{automationId}",
  summary: "Delete an automation; its executions are kept",
  ...secured,
  request: { params },
  responses: { 204: { description: "It is gone." }, ...refusals, ...notFound },
});

const activate = createRoute({
  method: "post",
  path: "/v1/automations/{automationId}/activate",
  summary: "Run it for each event from now on",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(automationSchema, "The automation."), ...refusals, ...notFound },
});

const deactivate = createRoute({
  method: "post",
  path: "/v1/automations/{automationId}/deactivate",
  summary: "Run it no more",
  ...secured,
  request: { params },
  responses: { 200: jsonAnswer(automationSchema, "The automation."), ...refusals, ...notFound },
});

const test = createRoute({
  method: "post",
  path: "/v1/automations/{automationId}/test",
  summary: "Show what its steps would get for a sample event, and do nothing",
  ...secured,
  request: { params, body: jsonBody(z.object({ type: z.string().min(1).max(128), data: z.unknown() })) },
  responses: { 200: jsonAnswer(testSchema, "What each step would get."), ...refusals, ...notFound },
});

const executions = createRoute({
  method: "get",
  path: "/v1/automations/{automationId}/executions",
  summary: "List its executions, newest first, each with its steps",
  ...secured,
  request: {
    params,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(DEFAULTS.maxPageLimit).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      z.object({
        executions: z.array(automationExecutionSchema),
        nextCursor: z.string().nullable(),
        totals: z.object({ succeeded: z.number(), failed: z.number(), skipped: z.number() }),
      }),
      "A page of executions.",
    ),
    ...refusals,
  },
});

/** Automations over HTTP, behind API keys. */
export function createAutomationRoutes(engine: Engine): OpenAPIHono<ApiKeyEnv> {
  const { automations } = engine;
  const router = createRouter<ApiKeyEnv>();
  const readable = requireApiKey(engine, "read");
  const writable = requireApiKey(engine, "write");
  for (const path of ["/v1/automations", "/v1/automations/*"]) {
    router.use(path, (c, next) => (c.req.method === "GET" ? readable : writable)(c, next));
  }
  const keyOf = (c: Context<ApiKeyEnv>, id: string) => ({ tenantId: c.var.principal.tenantId, id });
  const referenceOf = (c: Context<ApiKeyEnv>, id: string) => ({ ...keyOf(c, id), actor: actorOf(c.var.principal) });

  router.openapi(list, async (c) => {
    const found = await automations.list({ tenantId: c.var.principal.tenantId });
    return c.json({ automations: found.map(shown), actions: [...automations.actions] }, 200);
  });

  router.openapi(create, async (c) => {
    const { condition, ...given } = c.req.valid("json");
    const { tenantId } = c.var.principal;
    return await answered(c, async () => {
      const created = await automations.create({
        tenantId,
        actor: actorOf(c.var.principal),
        ...given,
        ...(condition === undefined ? {} : { condition }),
      });
      return c.json(shown(created), 201);
    });
  });

  router.openapi(get, async (c) => {
    const found = await automations.get(keyOf(c, c.req.valid("param").automationId));
    return found === null ? problem(c, NOT_FOUND) : c.json(shown(found), 200);
  });

  router.openapi(update, async (c) => {
    const changes = present(c.req.valid("json"));
    return await answered(c, async () =>
      c.json(shown(await automations.update(referenceOf(c, c.req.valid("param").automationId), changes)), 200),
    );
  });

  router.openapi(remove, async (c) => {
    const deleted = await automations.delete(referenceOf(c, c.req.valid("param").automationId));
    return deleted ? c.body(null, 204) : problem(c, NOT_FOUND);
  });

  router.openapi(activate, async (c) =>
    answered(c, async () =>
      c.json(shown(await automations.activate(referenceOf(c, c.req.valid("param").automationId))), 200),
    ),
  );

  router.openapi(deactivate, async (c) =>
    answered(c, async () =>
      c.json(shown(await automations.deactivate(referenceOf(c, c.req.valid("param").automationId))), 200),
    ),
  );

  router.openapi(test, async (c) => {
    const { type, data } = c.req.valid("json");
    return await answered(c, async () => {
      const { conditionMet, steps } = await automations.test(keyOf(c, c.req.valid("param").automationId), {
        type,
        data,
      });
      return c.json({ conditionMet, steps: [...steps] }, 200);
    });
  });

  router.openapi(executions, async (c) => {
    const page = await automations.executions({
      ...present(c.req.valid("query")),
      tenantId: c.var.principal.tenantId,
      automationId: c.req.valid("param").automationId,
    });
    const all = page.executions.map((execution) => ({ ...execution, steps: [...execution.steps] }));
    return c.json({ ...page, executions: all }, 200);
  });

  return router;
}

const NOT_FOUND = { status: 404, code: "automation_not_found", detail: "There is no such automation." } as const;

function shown(automation: Automation) {
  const { trigger, steps, condition, ...rest } = automation;
  return {
    ...rest,
    trigger: { events: [...trigger.events] },
    ...(condition === undefined ? {} : { condition: { ...condition } }),
    steps: [...steps],
  };
}

const answered = answerRefusals({ automation_not_found: 404, name_taken: 409, invalid_automation: 422 });
