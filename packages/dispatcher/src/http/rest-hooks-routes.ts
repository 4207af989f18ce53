import { createHash } from "node:crypto";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Dispatcher } from "../dispatcher.js";
import type { Endpoint, EndpointInput } from "../endpoint.js";
import { DispatcherError, isDispatcherError } from "../errors.js";
import { conflict, id, json, notFound, refusals, type TenantEnv } from "./router.js";

/** Tells the endpoints made here from others, and which subscription each of them is. */
const METADATA_NAME = "rest_hook";
/** Flat, with an id: what a Zap shows of a sample has to be where it is in what it gets. */
const BODY =
  '{"id":{{ id | json }},"type":{{ type | json }},"timestamp":{{ timestamp | json }},"data":{{ data | json }}}';
const SAMPLES = 3;

const url = z.url().max(2048);
const eventType = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}]*$/u)
  .openapi({
    description: "A type such as `ticket.created`; `ticket.*` and `*` for several.",
    example: "ticket.created",
  });

const hook = z.object({ id: z.string(), event: z.string() }).openapi("RestHook");
const item = z
  .object({ id: z.string(), type: z.string(), timestamp: z.iso.datetime(), data: z.unknown() })
  .openapi("RestHookItem", { description: "What is posted to the hook's URL." });

const tags = { tags: ["REST hooks"], security: [{ apiKey: [] }] };

const subscribe = createRoute({
  method: "post",
  path: "/v1/rest-hooks",
  summary: "Subscribe a URL to an event type, as Zapier does when a Zap is switched on",
  description:
    "The same URL and event answer the same id, however often they are asked for. A 410 from the URL ends the subscription.",
  ...tags,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({ hookUrl: url.optional(), target_url: url.optional(), event: eventType })
            .refine(({ hookUrl, target_url }) => hookUrl !== undefined || target_url !== undefined, {
              path: ["hookUrl"],
              message: "is missing",
            })
            .openapi("RestHookSubscribe", { description: "`target_url` is another name of `hookUrl`." }),
        },
      },
    },
  },
  responses: { 201: json(hook, "The subscription; its id unsubscribes."), ...refusals, ...conflict },
});

const unsubscribe = createRoute({
  method: "delete",
  path: "/v1/rest-hooks/{hookId}",
  summary: "Unsubscribe, as Zapier does when a Zap is switched off",
  ...tags,
  request: { params: z.object({ hookId: id }) },
  responses: { 200: json(hook, "It is gone."), ...refusals, ...notFound },
});

const samples = createRoute({
  method: "get",
  path: "/v1/rest-hooks/samples",
  summary: "List what a hook gets: the newest events of a type, or its example",
  ...tags,
  request: { query: z.object({ event: eventType }) },
  responses: { 200: json(z.array(item), "Newest first; empty for a type that nothing is known of."), ...refusals },
});

/**
 * `/v1/rest-hooks`: subscribe, unsubscribe and sample, as Zapier and others call them.
 *
 * @see https://docs.zapier.com/platform/build/hook-trigger
 */
export function addRestHooksRoutes(router: OpenAPIHono<TenantEnv>, dispatcher: Dispatcher): void {
  const { endpoints, events, eventTypes } = dispatcher;

  /** The subscription that was made before by the same request, switched on again if need be. */
  const again = async (tenantId: string, name: string): Promise<Endpoint> => {
    const { endpoints: found } = await endpoints.list({ tenantId, name });
    const [known] = found;
    if (known !== undefined) return known.active ? known : endpoints.enable(known);
    throw new DispatcherError("endpoint_not_found", "The subscription was ended right now.");
  };

  router.openapi(subscribe, async (c) => {
    const { hookUrl, target_url, event } = c.req.valid("json");
    const { tenantId } = c.var;
    const input = hookEndpoint(tenantId, (hookUrl ?? target_url) as string, event);
    try {
      return c.json(show(await endpoints.create(input)), 201);
    } catch (error) {
      if (!isDispatcherError(error)) throw error;
      if (error.code !== "name_taken") throw refusalOf(error, hookUrl === undefined ? "target_url" : "hookUrl");
      return c.json(show(await again(tenantId, input.name)), 201);
    }
  });

  router.openapi(unsubscribe, async (c) => {
    const asked = { tenantId: c.var.tenantId, id: c.req.valid("param").hookId };
    const known = await endpoints.get(asked);
    if (known?.metadata[METADATA_NAME] === undefined || !(await endpoints.delete(asked))) {
      throw new DispatcherError("endpoint_not_found", `There is no REST hook "${asked.id}".`);
    }
    return c.json(show(known), 200);
  });

  router.openapi(samples, async (c) => {
    const { event: type } = c.req.valid("query");
    const page = await events.list({ tenantId: c.var.tenantId, type, limit: SAMPLES });
    const recent = page.events
      // Without those whose payload was taken out.
      .filter(({ data }) => data !== null)
      .map(({ id, type, timestamp, data }) => ({ id, type, timestamp, data }));
    if (recent.length > 0) return c.json(recent, 200);
    const example = eventTypes.list().find((known) => known.type === type);
    const timestamp = new Date().toISOString();
    return c.json(example ? [{ id: "evt_sample", type, timestamp, data: example.example }] : [], 200);
  });
}

/** With the fields named as the caller knows them. */
function refusalOf({ code, message, issues }: DispatcherError, urlField: string): DispatcherError {
  const names: Readonly<Record<string, string>> = { "target.url": urlField, "events.0": "event" };
  const named = issues.map((issue) => ({ ...issue, path: names[issue.path] ?? issue.path }));
  return new DispatcherError(code, message, { issues: named });
}

function hookEndpoint(tenantId: string, url: string, event: string): EndpointInput & { readonly name: string } {
  const hash = createHash("sha256").update(url).digest("hex").slice(0, 32);
  return {
    tenantId,
    name: `REST hook ${event} ${hash}`,
    target: { url, template: BODY },
    events: [event],
    metadata: { [METADATA_NAME]: event },
    policy: { deleteWhenGone: true },
    // Those who call here, such as Zapier, answer no challenge: their URL would be held for ever.
    verify: false,
  };
}

function show({ id, metadata }: Endpoint) {
  return { id, event: metadata[METADATA_NAME] ?? "" };
}
