import type { Hono } from "hono";
import { applicationFlags } from "../gateway/connection.js";
import type { Simulation } from "../simulation.js";
import { REFUSALS, refuse, refuseFields } from "./refusal.js";
import { readBody } from "./rest-context.js";

/** `gateway`, `gateway/bot`, `applications/@me`, `oauth2/applications/@me`. */
export function applicationRoutes(app: Hono, simulation: Simulation): void {
  const { world, gateway, options, check } = simulation;
  const gatewayUrl = () => simulation.origin().replace(/^http/, "ws");

  function payload(): Record<string, unknown> {
    const { application } = world;
    const owner = [...world.guilds.values()][0]?.ownerId;
    return {
      id: application.id,
      name: application.name,
      icon: null,
      description: "An application in the simulator.",
      summary: "",
      type: null,
      bot_public: true,
      bot_require_code_grant: false,
      verify_key: application.publicKeyHex,
      flags: applicationFlags(application.privilegedIntents),
      hook: true,
      is_monetized: false,
      storefront_available: false,
      integration_types_config: { "0": {} },
      interactions_endpoint_url: application.interactionsUrl,
      role_connections_verification_url: application.roleConnectionsVerificationUrl,
      event_webhooks_url: application.webhookEventsUrl,
      event_webhooks_status: application.webhookEventsUrl === null ? 1 : 2,
      event_webhooks_types: application.webhookEventTypes,
      redirect_uris: application.redirectUris,
      approximate_guild_count: world.guilds.size,
      approximate_user_install_count: 0,
      bot: application.bot,
      owner: owner ? world.users.get(owner)?.user : undefined,
      team: null,
    };
  }

  app.get("/gateway", (c) => c.json({ url: gatewayUrl() }));

  app.get("/gateway/bot", (c) =>
    c.json({ url: gatewayUrl(), shards: options.shards, session_start_limit: gateway.startLimit.payload() }),
  );

  app.get("/applications/@me", (c) => c.json(payload()));
  app.get("/oauth2/applications/@me", (c) => c.json(payload()));

  app.get("/applications/:application", (c) => {
    if (c.req.param("application") !== world.application.id) {
      throw refuse(REFUSALS.unknownApplication);
    }
    return c.json(payload());
  });

  app.patch("/applications/@me", async (c) => {
    const body = await readBody(c);
    check.check("ApplicationFormPartialSchema", body);
    const url = body.interactions_endpoint_url as string | null | undefined;
    if (url !== undefined) {
      const result = await simulation.setInteractionsUrl(url || null);
      if (!result.ok) {
        throw refuseFields([
          {
            path: ["interactions_endpoint_url"],
            code: "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID",
            message: `The specified interactions endpoint url could not be verified: ${result.reason}`,
          },
        ]);
      }
    }
    if (body.role_connections_verification_url !== undefined) {
      world.application.roleConnectionsVerificationUrl =
        (body.role_connections_verification_url as string | null) || null;
    }
    if (body.event_webhooks_url !== undefined || body.event_webhooks_types !== undefined) {
      const { webhookEventsUrl, webhookEventTypes } = world.application;
      const wanted = (body.event_webhooks_url === undefined ? webhookEventsUrl : body.event_webhooks_url) as string;
      const types = (body.event_webhooks_types ?? webhookEventTypes) as readonly string[];
      const result = await simulation.setWebhookEvents(wanted || null, types);
      if (!result.ok) {
        throw refuseFields([
          {
            path: ["event_webhooks_url"],
            code: "APPLICATION_EVENT_WEBHOOKS_URL_INVALID",
            message: `The specified event webhooks url could not be verified: ${result.reason}`,
          },
        ]);
      }
    }
    return c.json(payload());
  });
}
