import { type Clock, type ConnectorContext, type ConnectorRoute, problemResponse } from "@hookline/core";
import { z } from "zod";
import { contactProperties } from "../ingress/contact-properties.js";
import { DISCORD_PROVIDER_ID } from "../provider.js";
import { verifyRequest } from "../verify-request.js";
import { toDeauthorization } from "./deauthorization-destination.js";

export interface WebhookEventsRouteOptions {
  readonly publicKeyHex: string;
  readonly resolveTenant: (guildId: string | null) => Promise<string | null>;
  /** The tenants whose contacts a Discord account can be. */
  readonly listTenants: () => Promise<readonly string[]>;
  readonly clock: Clock;
}

const DEFAULTS = {
  /** Discord goes on trying for ten minutes, perhaps with the first signature. Repetitions are told by their content. */
  toleranceSeconds: 900,
  maxBodyBytes: 256 * 1024,
} as const;

const WEBHOOK_TYPE = { ping: 0, event: 1 } as const;

const user = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  username: z.string(),
  global_name: z.string().nullish(),
  avatar: z.string().nullish(),
});

const envelopeSchema = z.object({
  type: z.literal(WEBHOOK_TYPE.event),
  event: z.object({ type: z.string(), timestamp: z.string(), data: z.unknown() }),
});

const authorizedSchema = z.object({
  user,
  scopes: z.array(z.string()),
  integration_type: z.number().optional(),
  guild: z.object({ id: z.string().regex(/^\d{1,20}$/) }).nullish(),
});

const deauthorizedSchema = z.object({ user });

/**
 * Where Discord posts Webhook Events: ed25519, PING, who authorized the application, and who removed it. What is
 * answered 204 is stored; everything else Discord sends again.
 *
 * @see https://docs.discord.com/developers/events/webhook-events
 */
export function createWebhookEventsRoute(options: WebhookEventsRouteOptions): ConnectorRoute {
  const { publicKeyHex, clock } = options;

  async function handle(request: Request, context: ConnectorContext): Promise<Response> {
    const verified = await verifyRequest(request, { publicKeyHex, toleranceSeconds: DEFAULTS.toleranceSeconds, clock });
    if (!verified.ok) return verified.response;
    const { received } = verified;
    if (z.object({ type: z.literal(WEBHOOK_TYPE.ping) }).safeParse(received).success) return taken();
    const envelope = envelopeSchema.safeParse(received);
    if (!envelope.success) return malformed(envelope.error);
    const { type, timestamp, data } = envelope.data.event;
    const at = momentOf(timestamp);
    if (at === null) return refuse("event.timestamp is no moment.");

    if (type === "APPLICATION_AUTHORIZED") {
      const parsed = authorizedSchema.safeParse(data);
      return parsed.success ? authorized(parsed.data, at, context) : malformed(parsed.error);
    }
    if (type === "APPLICATION_DEAUTHORIZED") {
      const parsed = deauthorizedSchema.safeParse(data);
      return parsed.success ? deauthorized(parsed.data.user.id, at, context) : malformed(parsed.error);
    }
    return taken();
  }

  /** Of a server that nobody has connected yet, it is the application's own tenant's: the installation may still be on its way. */
  async function authorized(
    data: z.infer<typeof authorizedSchema>,
    at: Date,
    context: ConnectorContext,
  ): Promise<Response> {
    const guildId = data.guild?.id ?? null;
    const tenantId = (await options.resolveTenant(guildId)) ?? (await options.resolveTenant(null));
    if (tenantId === null) {
      context.logger.warn({ guildId, code: "guild_not_mapped" }, "an authorization belongs to no tenant");
      return taken();
    }
    const [result] = await context.ingest([
      {
        tenantId,
        type: "discord.application_authorized",
        timestamp: at,
        idempotencyKey: `discord.application_authorized:${data.user.id}:${guildId ?? ""}:${at.toISOString()}`,
        identities: [{ kind: DISCORD_PROVIDER_ID, value: data.user.id }],
        data: {
          scopes: data.scopes,
          ...(guildId === null ? {} : { guildId }),
          ...(data.integration_type === undefined ? {} : { integrationType: data.integration_type }),
        },
        contactProperties: contactProperties({ user: data.user }),
      },
    ]);
    if (result?.status === "rejected") {
      context.logger.warn({ code: result.code }, "an authorization was rejected");
    }
    return taken();
  }

  /** A delivery for each tenant: the answer does not wait for it, and a crash does not lose it. */
  async function deauthorized(discordId: string, at: Date, context: ConnectorContext): Promise<Response> {
    for (const tenantId of await options.listTenants()) {
      await context.outbox.send(toDeauthorization({ tenantId, discordId, at }));
    }
    return taken();
  }

  return {
    method: "POST",
    path: "/webhook-events",
    summary: "Receives Webhook Events from Discord",
    rateLimited: false,
    maxBodyBytes: DEFAULTS.maxBodyBytes,
    handle,
  };
}

/** Discord wants a content type on it, although there is no content. */
function taken(): Response {
  return new Response(null, { status: 204, headers: { "content-type": "application/json" } });
}

function malformed(error: z.ZodError): Response {
  const issue = error.issues[0];
  return refuse(`${issue?.path.join(".") || "The body"}: ${issue?.message ?? "malformed"}`);
}

function refuse(detail: string): Response {
  return problemResponse({ status: 400, code: "invalid_webhook_event", detail });
}

/** Discord writes its moments in UTC, here without saying so. */
function momentOf(timestamp: string): Date | null {
  const at = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(timestamp) ? timestamp : `${timestamp}Z`);
  return Number.isNaN(at.getTime()) ? null : at;
}
