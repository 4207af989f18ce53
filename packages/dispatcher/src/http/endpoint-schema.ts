import { z } from "@hono/zod-openapi";
import type { WebhookTarget } from "../destinations/webhook-target.js";
import type { Endpoint, EndpointPolicy } from "../endpoint.js";

const pem = z.string().max(65_536).optional();

/** What the webhook of an endpoint is, beside its fields of any destination. */
export const webhook = {
  url: z.url().max(2048),
  scheme: z
    .union([z.string().max(64), z.array(z.string().max(64)).min(1).max(16)])
    .optional()
    .openapi({ description: "How it is signed; several sign side by side, each in headers of its own." }),
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
export const changeable = {
  name: z.string().min(1).max(255).nullable(),
  events: z.array(z.string().max(128)).min(1).max(100),
  active: z.boolean(),
};
export const about = {
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
        "Only events whose data are like this, with paths that begin below `data`. $eq $ne $gt $gte $lt $lte $exists $in $nin $all $size $elemMatch $and $or $nor $not, as in MongoDB's queries.",
      example: { "ticket.priority": { $gte: 2 } },
    }),
};

const policySchema = z
  .object({
    maxAttempts: z.number().int().min(1).optional().openapi({ description: "In all." }),
    retrySchedule: z
      .object({ delaysMs: z.array(z.number()).max(1_000), jitterRatio: z.number().optional() })
      .strict()
      .optional()
      .openapi({ description: "Waits after the first failed attempt, the second …" }),
    timeoutMs: z.number().optional().openapi({ description: "Of one attempt; 30,000 at most." }),
    maxInFlight: z.number().int().optional().openapi({ description: "Requests at a time from one worker process." }),
    rateLimit: z
      .object({ count: z.number().int(), perMs: z.number().int() })
      .strict()
      .optional()
      .openapi({ description: "So many requests in so many milliseconds, of all processes together." }),
    ordering: z.enum(["block", "skip"]).optional().openapi({ description: "By the events' orderingKey." }),
    retryClientErrors: z
      .boolean()
      .optional()
      .openapi({ description: "False: a 4xx other than 408, 425 and 429 is not tried again." }),
    circuitBreaker: z.boolean().optional().openapi({ description: "False: it never opens." }),
    disableAfterMs: z
      .number()
      .nullable()
      .optional()
      .openapi({ description: "Of nothing but failure, after which the endpoint is disabled; null for never." }),
    deleteWhenGone: z
      .boolean()
      .optional()
      .openapi({ description: "True: a 410 deletes the endpoint instead of disabling it." }),
  })
  .strict()
  .openapi("EndpointPolicy", { description: "What the endpoint says otherwise than the dispatcher's options." });

/** Of an endpoint of any destination. */
export const rules = {
  policy: policySchema.optional().openapi({ description: "Replaced as a whole." }),
  contactAddress: z
    .string()
    .max(254)
    .nullable()
    .optional()
    .openapi({ description: "An email address: told when the endpoint is disabled for failing or by a 410." }),
};

/** As a destination other than `webhook` takes it; it may hold a token, so it is never shown. */
export const otherTarget = z.record(z.string(), z.unknown()).openapi({
  description: "Of a destination other than webhook, in that destination's own shape. Never shown.",
});

const healthSchema = z
  .object({
    circuit: z.enum(["closed", "open"]).openapi({ description: "While it is open, deliveries wait but for probes." }),
    failures: z.number().int().openapi({ description: "Failed attempts since the last success." }),
    failingSince: z.iso.datetime().nullable(),
    blockedUntil: z.iso
      .datetime()
      .nullable()
      .openapi({ description: "No delivery is attempted before; it may have passed." }),
  })
  .openapi("EndpointHealth");

export const endpointSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    destination: z.string(),
    url: z
      .string()
      .nullable()
      .openapi({ description: "Null for an endpoint that is not a webhook, and while it cannot be decrypted." }),
    scheme: z.union([z.string(), z.array(z.string())]).nullable(),
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
    policy: policySchema,
    contactAddress: z.string().nullable(),
    health: healthSchema,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi("Endpoint");

/** Headers and the targets of other destinations stay inside: they may hold a token. */
export function showEndpoint(endpoint: Endpoint) {
  const webhookTarget = endpoint.destination === "webhook" ? (endpoint.target as WebhookTarget | null) : null;
  return {
    id: endpoint.id,
    name: endpoint.name,
    destination: endpoint.destination,
    url: webhookTarget?.url ?? null,
    scheme: webhookTarget ? showScheme(webhookTarget) : null,
    profile: webhookTarget ? (webhookTarget.profile ?? "standard") : null,
    template: webhookTarget?.template ?? null,
    clientCertificate: webhookTarget?.tls?.cert !== undefined,
    description: endpoint.description,
    metadata: { ...endpoint.metadata },
    condition: endpoint.condition === null ? null : { ...endpoint.condition },
    verification: endpoint.verification,
    events: [...endpoint.events],
    active: endpoint.active,
    disabledAt: endpoint.disabledAt?.toISOString() ?? null,
    disabledReason: endpoint.disabledReason,
    policy: showPolicy(endpoint.policy),
    contactAddress: endpoint.contactAddress,
    health: {
      ...endpoint.health,
      failingSince: endpoint.health.failingSince?.toISOString() ?? null,
      blockedUntil: endpoint.health.blockedUntil?.toISOString() ?? null,
    },
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}

function showScheme({ scheme = "standard-webhooks" }: WebhookTarget) {
  return typeof scheme === "string" ? scheme : [...scheme];
}

function showPolicy({ retrySchedule, ...policy }: EndpointPolicy) {
  const { delaysMs, ...jitter } = retrySchedule ?? {};
  return { ...policy, ...(delaysMs === undefined ? {} : { retrySchedule: { ...jitter, delaysMs: [...delaysMs] } }) };
}
