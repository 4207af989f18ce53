import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Dispatcher } from "../dispatcher.js";
import { addDeliveryRoutes } from "./delivery-routes.js";
import { addEndpointRoutes } from "./endpoint-routes.js";
import { addEventRoutes } from "./event-routes.js";
import { addEventTypeRoutes } from "./event-type-routes.js";
import { addRecoveryRoutes } from "./recovery-routes.js";
import { addRestHooksRoutes } from "./rest-hooks-routes.js";
import { type Authenticate, createRouter, type TenantEnv } from "./router.js";
import { addWebhooksRoutes } from "./webhooks-routes.js";

export type { Authenticate, TenantEnv } from "./router.js";

/**
 * The dispatcher over HTTP, as a Hono app with an OpenAPI description: `/v1/endpoints`, `/v1/event-types`, `/v1/deliveries`, `/v1/recoveries`,
 * `/v1/events/{id}`, `/v1/rest-hooks` as Zapier calls them, and
 * `/v1/webhooks` as XTSystems has it (snake case, endpoints that speak the `xtsystems` profile). Each caller sees its tenant's alone; another tenant's id answers 404. Errors are problem details (RFC 9457).
 *
 * @example
 * const app = new Hono();
 * app.route("/", webhookRoutes(dispatcher, { authenticate: (request) => tenantOfApiKey(request) }));
 */
export function webhookRoutes(
  dispatcher: Dispatcher,
  options: {
    readonly authenticate: Authenticate;
    /**
     * Of which destinations beside `webhook` a caller may make endpoints, with targets of its own. None when absent:
     * what a destination does in this process may not be for everybody.
     */
    readonly destinations?: readonly string[];
  },
): OpenAPIHono<TenantEnv> {
  const router = createRouter(options.authenticate);
  addEndpointRoutes(router, dispatcher, { destinations: options.destinations ?? [] });
  addEventTypeRoutes(router, dispatcher);
  addDeliveryRoutes(router, dispatcher);
  addRecoveryRoutes(router, dispatcher);
  addEventRoutes(router, dispatcher);
  addWebhooksRoutes(router, dispatcher);
  addRestHooksRoutes(router, dispatcher);
  return router;
}
