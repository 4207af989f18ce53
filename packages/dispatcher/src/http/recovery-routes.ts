import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { Dispatcher } from "../dispatcher.js";
import type { Recovery } from "../recovery.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const time = z.iso.datetime();
const of = z.enum(["dead", "held", "delivered", "all"]);

const recoverySchema = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    status: z.enum(["running", "completed", "cancelled"]),
    since: time,
    until: time,
    of,
    matched: z.number().int(),
    requeued: z.number().int(),
    createdAt: time,
    updatedAt: time,
    endedAt: time.nullable(),
  })
  .openapi("Recovery");

const one = z.object({ recoveryId: id });
const tags = { tags: ["Recoveries"], security: [{ apiKey: [] }] };

const recover = createRoute({
  method: "post",
  path: "/v1/endpoints/{endpointId}/recover",
  summary: "Put the endpoint's deliveries of a time back in the queue, by default those that are dead",
  ...tags,
  request: {
    params: z.object({ endpointId: id }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({ since: time, until: time.optional(), status: of.optional() }),
        },
      },
    },
  },
  responses: { 202: json(recoverySchema, "The task, begun."), ...refusals, ...notFound, ...conflict },
});

const list = createRoute({
  method: "get",
  path: "/v1/recoveries",
  summary: "List recoveries, newest first",
  ...tags,
  request: {
    query: z.object({
      endpointId: id.optional(),
      limit: z.coerce.number().int().min(1).max(200).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: json(z.object({ recoveries: z.array(recoverySchema), nextCursor: z.string().nullable() }), "A page of them."),
    ...refusals,
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/recoveries/{recoveryId}",
  summary: "See how far a recovery is",
  ...tags,
  request: { params: one },
  responses: { 200: json(recoverySchema, "The task."), ...refusals, ...notFound },
});

const cancel = createRoute({
  method: "post",
  path: "/v1/recoveries/{recoveryId}/cancel",
  summary: "End a recovery that runs; what it has put back stays in the queue",
  ...tags,
  request: { params: one },
  responses: { 200: json(recoverySchema, "The task."), ...refusals, ...notFound },
});

/** `/v1/endpoints/{id}/recover` and `/v1/recoveries`. */
export function addRecoveryRoutes(router: OpenAPIHono<TenantEnv>, { recover: begin, recoveries }: Dispatcher): void {
  router.openapi(recover, async (c) => {
    const { since, until, status } = c.req.valid("json");
    const task = await begin({
      tenantId: c.var.tenantId,
      endpointId: c.req.valid("param").endpointId,
      since: new Date(since),
      ...present({ until: until === undefined ? undefined : new Date(until), status }),
    });
    return c.json(show(task), 202);
  });

  router.openapi(list, async (c) => {
    const page = await recoveries.list({ tenantId: c.var.tenantId, ...present(c.req.valid("query")) });
    return c.json({ recoveries: page.recoveries.map(show), nextCursor: page.nextCursor }, 200);
  });

  router.openapi(get, async (c) => {
    const { recoveryId: id } = c.req.valid("param");
    const found = await recoveries.get({ tenantId: c.var.tenantId, id });
    if (found) return c.json(show(found), 200);
    const detail = `There is no recovery "${id}".`;
    return problemResponse({ status: 404, code: "recovery_not_found", detail }) as never;
  });

  router.openapi(cancel, async (c) => {
    const task = await recoveries.cancel({ tenantId: c.var.tenantId, id: c.req.valid("param").recoveryId });
    return c.json(show(task), 200);
  });
}

function show({ tenantId: _, ...task }: Recovery) {
  return {
    ...task,
    since: task.since.toISOString(),
    until: task.until.toISOString(),
    createdAt: task.createdAt.toISOString(),
    updatedAt: task.updatedAt.toISOString(),
    endedAt: task.endedAt?.toISOString() ?? null,
  };
}
