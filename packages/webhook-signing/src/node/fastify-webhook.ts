import type { WebhookHeaders } from "../headers.js";
import { defaultMaxBodyBytes } from "../max-body-bytes.js";
import { verify } from "../verify.js";
import type { WebhookRouteOptions } from "./webhook-middleware.js";

/** What is needed of a Fastify instance. */
export interface FastifyScope {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    contentType: string,
    options: { parseAs: "buffer"; bodyLimit: number },
    parser: (request: never, body: Buffer, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown;
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "preValidation", hook: (request: FastifyWebhookRequest) => Promise<void>): unknown;
}

interface FastifyWebhookRequest {
  readonly body: unknown;
  readonly headers: WebhookHeaders;
}

async function plugin(scope: FastifyScope, options: WebhookRouteOptions): Promise<void> {
  const bodyLimit = options.maxBodyBytes ?? defaultMaxBodyBytes;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
  scope.decorateRequest("webhook", null);
  scope.addHook("preValidation", async (request) => {
    const body = (request.body ?? Buffer.alloc(0)) as Buffer;
    Object.assign(request, { webhook: verify(body, request.headers, options) });
  });
}

/**
 * Fastify: every route of the scope that registers it keeps its raw body in `request.body` and runs only for verified
 * requests, with the outcome on `request.webhook` (see {@link webhookOf}). Fastify answers refused ones with 401, 413
 * or 400, and the operator's faults with 500.
 *
 * @example
 * app.register(async (scope) => {
 *   await scope.register(fastifyWebhook, { scheme: github, secrets: [secret] });
 *   scope.post("/webhooks", async (request) => handle(webhookOf(request).json()));
 * });
 */
export const fastifyWebhook = /* @__PURE__ */ Object.assign(plugin, {
  // The mark that fastify-plugin sets: the plugin works on the scope that registers it, not on one of its own.
  [Symbol.for("skip-override")]: true,
});
