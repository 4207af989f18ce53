import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { LoggedDelivery } from "../delivery.js";
import { writePayload } from "../destinations/webhook-payload.js";
import type { WebhookTarget } from "../destinations/webhook-target.js";
import type { Dispatcher } from "../dispatcher.js";
import type { Endpoint, EndpointPolicy, TenantScoped } from "../endpoint.js";
import { checkSecret } from "../endpoint-secret.js";
import { DispatcherError, isDispatcherError } from "../errors.js";
import { endpointUnreadable } from "../unreadable-target.js";
import { conflict, id, json, notFound, present, refusals, type TenantEnv } from "./router.js";

const time = z.iso.datetime();

const fields = {
  name: z.string().min(1).max(255),
  url: z.url().max(2048),
  events: z.array(z.string().max(128)).min(1).max(100),
  // As XTSystems has it, an empty one is none.
  secret: z.union([z.string().min(8).max(512), z.literal("")]).nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  active: z.boolean(),
  retry_count: z.number().int().min(1).max(16).openapi({ description: "Attempts in all." }),
  timeout_seconds: z.number().int().min(1).max(30).openapi({ description: "Of one attempt." }),
};

const DEFAULTS = { active: true, retry_count: 3, timeout_seconds: 30 } as const;

const newWebhook = z
  .object({
    ...fields,
    active: fields.active.default(DEFAULTS.active),
    retry_count: fields.retry_count.default(DEFAULTS.retry_count),
    timeout_seconds: fields.timeout_seconds.default(DEFAULTS.timeout_seconds),
  })
  .openapi("WebhookCreate");

const webhookSchema = z
  .object({
    id: z.string(),
    company_id: z.string(),
    name: z.string().nullable(),
    url: z.string().nullable().openapi({ description: "Null while it cannot be decrypted." }),
    events: z.array(z.string()),
    active: z.boolean(),
    retry_count: z.number().int().nullable().openapi({ description: "Null where nothing was said." }),
    timeout_seconds: z.number().nullable().openapi({ description: "Null where nothing was said." }),
    created_at: time,
    updated_at: time,
  })
  .openapi("Webhook");

const deliverySchema = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event_type: z.string(),
    payload: z.unknown(),
    response_status: z.number().int().nullable().openapi({ description: "0 when the last attempt got no answer." }),
    response_body: z.string().nullable().openapi({ description: "Or why there is none." }),
    attempts: z.number().int(),
    delivered_at: time.nullable(),
    created_at: time,
  })
  .openapi("WebhookDelivery");

const one = z.object({ webhookId: id });
const tags = { tags: ["Webhooks"], security: [{ apiKey: [] }] };
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { "application/json": { schema } },
});

const list = createRoute({
  method: "get",
  path: "/v1/webhooks",
  summary: "List the company's webhooks, oldest first",
  ...tags,
  responses: { 200: json(z.array(webhookSchema), "All of them."), ...refusals },
});

const create = createRoute({
  method: "post",
  path: "/v1/webhooks",
  summary: "Make a webhook; the secret is in this answer only",
  ...tags,
  request: { body: body(newWebhook) },
  responses: {
    200: json(webhookSchema.extend({ secret: z.string().nullable() }), "The webhook."),
    ...refusals,
    ...conflict,
  },
});

const get = createRoute({
  method: "get",
  path: "/v1/webhooks/{webhookId}",
  summary: "Get a webhook",
  ...tags,
  request: { params: one },
  responses: { 200: json(webhookSchema, "The webhook."), ...refusals, ...notFound },
});

const update = createRoute({
  method: "put",
  path: "/v1/webhooks/{webhookId}",
  summary: "Change the given fields; a new secret replaces the old one at once",
  ...tags,
  request: { params: one, body: body(z.object(fields).partial().openapi("WebhookUpdate")) },
  responses: { 200: json(webhookSchema, "The webhook."), ...refusals, ...notFound, ...conflict },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webhooks/{webhookId}",
  summary: "Delete a webhook; what waits for it ends as dead",
  ...tags,
  request: { params: one },
  responses: { 200: json(z.object({ message: z.string() }), "It is gone."), ...refusals, ...notFound },
});

const test = createRoute({
  method: "post",
  path: "/v1/webhooks/{webhookId}/test",
  summary: "Send webhook.test right now and once",
  ...tags,
  request: { params: one },
  responses: {
    200: json(z.object({ success: z.boolean(), message: z.string() }), "How it went."),
    ...refusals,
    ...notFound,
  },
});

const deliveries = createRoute({
  method: "get",
  path: "/v1/webhooks/{webhookId}/deliveries",
  summary: "List a webhook's deliveries, newest first",
  ...tags,
  request: { params: one, query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }) },
  responses: { 200: json(z.array(deliverySchema), "The newest of them."), ...refusals, ...notFound },
});

/** `/v1/webhooks`: the same endpoints as XTSystems shows them; those made here speak its profile and scheme. */
export function addWebhooksRoutes(router: OpenAPIHono<TenantEnv>, dispatcher: Dispatcher): void {
  const { endpoints } = dispatcher;

  const find = async (asked: TenantScoped): Promise<Endpoint> => {
    const found = await endpoints.get(asked);
    if (found?.destination === "webhook") return found;
    throw new DispatcherError("endpoint_not_found", `There is no webhook "${asked.id}".`);
  };

  router.openapi(list, async (c) => {
    const webhooks: Endpoint[] = [];
    let cursor: string | null = null;
    do {
      const query = { tenantId: c.var.tenantId, destination: "webhook", limit: 200 };
      const page = await endpoints.list(cursor === null ? query : { ...query, cursor });
      webhooks.push(...page.endpoints);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return c.json(webhooks.map(show), 200);
  });

  router.openapi(create, async (c) => {
    const { name, url, events, secret, headers, active, ...limits } = c.req.valid("json");
    const target = { url, headers: headers ?? {}, profile: "xtsystems", scheme: "xtsystems" };
    const policy = policyOf(limits);
    const known = { tenantId: c.var.tenantId, name, target, events, active, policy };
    const made = await endpoints.create(secret ? { ...known, secret } : known);
    return c.json({ ...show(made), secret: made.secret }, 200);
  });

  router.openapi(get, async (c) => {
    const { webhookId: id } = c.req.valid("param");
    return c.json(show(await find({ tenantId: c.var.tenantId, id })), 200);
  });

  router.openapi(update, async (c) => {
    const known = await find({ tenantId: c.var.tenantId, id: c.req.valid("param").webhookId });
    const { url, headers, secret, name, events, active, ...limits } = c.req.valid("json");
    // Before anything is written: what the rotation would refuse leaves the fields as they are, too.
    if (secret) checkNewSecret(known, secret);
    const targetChanges = present({ url, headers: headers ?? undefined });
    const updated = await endpoints.update(known, {
      ...present({ name, events, active }),
      ...(Object.keys(targetChanges).length === 0 ? {} : { targetChanges }),
      policyChanges: policyOf(limits),
    });
    return c.json(show(secret ? await replaceSecret(updated, secret) : updated), 200);
  });

  /** A client that sends back the whole webhook names the secret it has: then nothing changes. */
  const replaceSecret = async (endpoint: Endpoint, secret: string): Promise<Endpoint> => {
    try {
      return await endpoints.rotateSecret({ tenantId: endpoint.tenantId, id: endpoint.id, secret, overlapMs: 0 });
    } catch (error) {
      if (isDispatcherError(error) && error.code === "secret_unchanged") return endpoint;
      throw error;
    }
  };

  router.openapi(remove, async (c) => {
    await endpoints.delete(await find({ tenantId: c.var.tenantId, id: c.req.valid("param").webhookId }));
    return c.json({ message: "The webhook was deleted." }, 200);
  });

  router.openapi(test, async (c) => {
    const { id, tenantId } = await find({ tenantId: c.var.tenantId, id: c.req.valid("param").webhookId });
    const { attempt } = await endpoints.test({ tenantId, id });
    const success = attempt.outcome === "delivered";
    const why = attempt.reason ?? `The webhook answered ${attempt.status}.`;
    return c.json({ success, message: success ? "The test was delivered." : `The test failed. ${why}` }, 200);
  });

  router.openapi(deliveries, async (c) => {
    const webhook = await find({ tenantId: c.var.tenantId, id: c.req.valid("param").webhookId });
    const { limit } = c.req.valid("query");
    const page = await dispatcher.deliveries.log({ tenantId: webhook.tenantId, endpointId: webhook.id, limit });
    return c.json(
      page.deliveries.map((delivery) => showDelivery(webhook, delivery)),
      200,
    );
  });
}

function checkNewSecret({ target }: Endpoint, secret: string): void {
  if (target === null) throw endpointUnreadable("target", "update it with a whole one first, or give the key back");
  checkSecret(secret, target as WebhookTarget);
}

/** Waits of 1, 2, 4 … seconds between so many attempts. */
function policyOf(limits: {
  readonly retry_count?: number | undefined;
  readonly timeout_seconds?: number | undefined;
}): EndpointPolicy {
  const { retry_count: attempts, timeout_seconds: seconds } = limits;
  const delaysMs = Array.from({ length: (attempts ?? 1) - 1 }, (_, waited) => 1000 * 2 ** waited);
  return {
    ...(attempts === undefined ? {} : { maxAttempts: attempts, retrySchedule: { delaysMs } }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
  };
}

/** Headers stay inside: they may hold a token. */
function show({ policy, ...endpoint }: Endpoint) {
  return {
    id: endpoint.id,
    company_id: endpoint.tenantId,
    name: endpoint.name,
    url: (endpoint.target as WebhookTarget | null)?.url ?? null,
    events: [...endpoint.events],
    active: endpoint.active,
    retry_count: policy.maxAttempts ?? null,
    timeout_seconds: policy.timeoutMs === undefined ? null : policy.timeoutMs / 1000,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}

function showDelivery(webhook: Endpoint, { event, lastAttempt, ...delivery }: LoggedDelivery) {
  const profile = (webhook.target as WebhookTarget | null)?.profile ?? "standard";
  return {
    id: delivery.id,
    webhook_id: webhook.id,
    event_type: delivery.eventType ?? "",
    payload: event && JSON.parse(writePayload(profile, event, "").body),
    response_status: lastAttempt && (lastAttempt.status ?? 0),
    response_body: lastAttempt && (lastAttempt.responseBody ?? lastAttempt.reason),
    attempts: delivery.attempts,
    delivered_at: delivery.status === "delivered" ? (delivery.endedAt?.toISOString() ?? null) : null,
    created_at: delivery.createdAt.toISOString(),
  };
}
