import type { ServerResponse } from "node:http";
import type { BodyLimit } from "../max-body-bytes.js";
import type { VerifyOptions } from "../received.js";
import { verify } from "../verify.js";
import { type NodeRequest, readRawBody } from "./read-raw-body.js";

/** What the middleware and the plugin take. */
export interface WebhookRouteOptions extends VerifyOptions, BodyLimit {}

/**
 * Express and Connect: reads and verifies the raw body, keeps it as `request.rawBody`, puts the outcome onto
 * `request.webhook` (see {@link webhookOf}), and calls the route. What is refused goes to the error handlers, with
 * `statusCode` 401, 413 or 400; what is the operator's fault goes there without one, which answers 500.
 *
 * Mount it on the route, before any body parser.
 *
 * @example
 * app.post("/webhooks", webhookMiddleware({ scheme: github, secrets: [secret] }), (request, response) => {
 *   handle(webhookOf(request).json());
 *   response.sendStatus(204);
 * });
 */
export function webhookMiddleware(options: WebhookRouteOptions) {
  return async (request: NodeRequest, _response: ServerResponse, next: (error?: unknown) => void): Promise<void> => {
    const outcome = await verifyRoute(request, options);
    if ("error" in outcome) next(outcome.error);
    else next();
  };
}

async function verifyRoute(request: NodeRequest, options: WebhookRouteOptions): Promise<{ error: unknown } | object> {
  try {
    const rawBody = await readRawBody(request, options);
    return Object.assign(request, { rawBody, webhook: verify(rawBody, request.headers, options) });
  } catch (error) {
    return { error };
  }
}
