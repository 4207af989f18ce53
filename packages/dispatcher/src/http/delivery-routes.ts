import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problemResponse } from "@hookline/core";
import type { Attempt, AttemptErrorCode, Delivery, DeliveryDetail } from "../delivery.js";
import type { DeliveryFilter } from "../delivery-search.js";
import type { Dispatcher } from "../dispatcher.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const status = z.enum(["pending", "held", "delivered", "dead", "expired"]);
const time = z.iso.datetime();

const deliverySchema = z
  .object({
    id: z.string(),
    status,
    ending: z.string().nullable(),
    reason: z.string().nullable(),
    eventId: z.string().nullable(),
    eventType: z.string().nullable(),
    endpointId: z.string().nullable(),
    destination: z.string().nullable(),
    attempts: z.number().int(),
    nextAttemptAt: time.nullable(),
    deadline: time.nullable(),
    createdAt: time,
    endedAt: time.nullable(),
  })
  .openapi("Delivery");

const phaseMs = z.number().nullable();

export const attemptSchema = z
  .object({
    attempt: z.number().int(),
    startedAt: time,
    durationMs: z.number(),
    phases: z
      .object({ dnsMs: phaseMs, connectMs: phaseMs, tlsMs: phaseMs, firstByteMs: phaseMs, bodyMs: phaseMs })
      .nullable()
      .openapi({
        description: "How long the parts of the request took. The first three are null on a connection used again.",
      }),
    outcome: z.string(),
    status: z.number().int().nullable(),
    errorCode: z.string().nullable(),
    reason: z.string().nullable(),
    requestHeaders: z.record(z.string(), z.string()).nullable(),
    responseBody: z.string().nullable(),
    nextAttemptAt: time.nullable(),
  })
  .openapi("Attempt");

const detailSchema = deliverySchema.extend({ log: z.array(attemptSchema) }).openapi("DeliveryDetail");

const one = z.object({ deliveryId: id });
const tags = { tags: ["Deliveries"], security: [{ apiKey: [] }] };

const filter = {
  endpointId: id.optional(),
  eventId: id.optional(),
  eventType: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\w.-]+$/)
    .optional(),
  status: z.enum([...status.options, "delivering"]).optional(),
  since: time.optional().openapi({ description: "Made at this time or later." }),
  until: time.optional().openapi({ description: "Made before this time." }),
  httpStatus: z.coerce.number().int().min(100).max(599).optional(),
  errorCode: z.string().max(64).regex(/^\w+$/).optional(),
};

const list = createRoute({
  method: "get",
  path: "/v1/deliveries",
  summary: "List deliveries, newest first",
  ...tags,
  request: {
    query: z.object({
      ...filter,
      limit: z.coerce.number().int().min(1).max(200).optional(),
      cursor: z.string().max(512).optional(),
    }),
  },
  responses: {
    200: json(z.object({ deliveries: z.array(deliverySchema), nextCursor: z.string().nullable() }), "A page of them."),
    ...refusals,
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/deliveries/{deliveryId}",
  summary: "Get a delivery with its attempts",
  ...tags,
  request: { params: one },
  responses: { 200: json(detailSchema, "The delivery."), ...refusals, ...notFound },
});

const retry = createRoute({
  method: "post",
  path: "/v1/deliveries/{deliveryId}/retry",
  summary: "Put a finished delivery back in the queue, or make a waiting one due now",
  ...tags,
  request: { params: one },
  responses: { 202: json(detailSchema, "The delivery, waiting."), ...refusals, ...notFound, ...conflict },
});

const retryMany = createRoute({
  method: "post",
  path: "/v1/deliveries/retry",
  summary: "Put up to 200 deliveries back in the queue, named by id or found by a filter, with a result for each",
  ...tags,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.union([
            z.strictObject({ ids: z.array(id).min(1).max(200) }),
            z.strictObject({
              filter: z
                .strictObject(filter)
                .openapi({ description: "Leaves out what tests and verifications of endpoints sent." }),
              limit: z.number().int().min(1).max(200).optional(),
              cursor: z.string().max(512).optional(),
            }),
          ]),
        },
      },
    },
  },
  responses: {
    200: json(
      z.object({
        results: z.array(
          z.object({
            id: z.string(),
            status: z.enum(["requeued", "refused"]),
            code: z.string().optional(),
            detail: z.string().optional(),
          }),
        ),
        nextCursor: z.string().nullable(),
      }),
      "A result for each.",
    ),
    ...refusals,
  },
});

/** `/v1/deliveries`: what was sent, what waits, and what became of each attempt. */
export function addDeliveryRoutes(router: OpenAPIHono<TenantEnv>, { deliveries }: Dispatcher): void {
  router.openapi(list, async (c) => {
    const { limit, cursor, ...asked } = c.req.valid("query");
    const page = await deliveries.list({ tenantId: c.var.tenantId, ...filterOf(asked), ...present({ limit, cursor }) });
    return c.json({ deliveries: page.deliveries.map(show), nextCursor: page.nextCursor }, 200);
  });

  router.openapi(get, async (c) => {
    const { deliveryId: id } = c.req.valid("param");
    const found = await deliveries.get({ tenantId: c.var.tenantId, id });
    if (found) return c.json(showDetail(found), 200);
    return problemResponse({
      status: 404,
      code: "delivery_not_found",
      detail: `There is no delivery "${id}".`,
    }) as never;
  });

  router.openapi(retryMany, async (c) => {
    const asked = c.req.valid("json");
    const { tenantId } = c.var;
    const retried = await deliveries.retryMany(
      "ids" in asked
        ? { tenantId, ids: asked.ids }
        : { tenantId, filter: filterOf(asked.filter), ...present({ limit: asked.limit, cursor: asked.cursor }) },
    );
    return c.json({ results: [...retried.results], nextCursor: retried.nextCursor }, 200);
  });

  router.openapi(retry, async (c) => {
    const delivery = { tenantId: c.var.tenantId, id: c.req.valid("param").deliveryId };
    return c.json(showDetail(await deliveries.retry(delivery)), 202);
  });
}

type AskedFilter = z.infer<z.ZodObject<typeof filter>>;

function filterOf({ since, until, errorCode, ...rest }: AskedFilter): DeliveryFilter {
  return present({
    ...rest,
    since: since === undefined ? undefined : new Date(since),
    until: until === undefined ? undefined : new Date(until),
    // One that there is not finds nothing.
    errorCode: errorCode as AttemptErrorCode | undefined,
  });
}

function show({ tenantId: _, ...delivery }: Delivery) {
  return {
    ...delivery,
    nextAttemptAt: delivery.nextAttemptAt?.toISOString() ?? null,
    deadline: delivery.deadline?.toISOString() ?? null,
    createdAt: delivery.createdAt.toISOString(),
    endedAt: delivery.endedAt?.toISOString() ?? null,
  };
}

function showDetail({ log, ...delivery }: DeliveryDetail) {
  return { ...show(delivery), log: log.map(showAttempt) };
}

export function showAttempt(attempt: Attempt) {
  return {
    ...attempt,
    requestHeaders: attempt.requestHeaders && { ...attempt.requestHeaders },
    startedAt: attempt.startedAt.toISOString(),
    nextAttemptAt: attempt.nextAttemptAt?.toISOString() ?? null,
  };
}
