export { type FastifyScope, fastifyWebhook } from "./fastify-webhook.js";
export { type NodeRequest, readRawBody } from "./read-raw-body.js";
export { type WebhookRouteOptions, webhookMiddleware } from "./webhook-middleware.js";
export { webhookOf } from "./webhook-of.js";
