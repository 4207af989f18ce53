import type { VerifiedWebhook } from "../verified.js";

/**
 * What the middleware or the plugin verified for this request; the same as `request.webhook`, with its type.
 *
 * @throws TypeError when neither ran for this route
 */
export function webhookOf(request: object): VerifiedWebhook {
  const { webhook } = request as { readonly webhook?: VerifiedWebhook | null };
  if (webhook) return webhook;
  throw new TypeError("This request was not verified: neither webhookMiddleware nor fastifyWebhook ran for its route.");
}
