import {
  type AnyCommand,
  type AnyComponent,
  createDiscordConnector,
  type DerivedPatch,
  DISCORD_PROVIDER_ID,
  type DiscordRateLimits,
} from "@hookline/connector-discord";
import type { Logger, Mailer, Outbox } from "@hookline/core";
import { createColdConnect, type Engine, type EngineRedis, postHogAnalytics } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import type { DiscordGuilds } from "./discord-guilds.js";
import { createLinkedRoles } from "./discord-linked-roles.js";
import { createVerifiedRole } from "./discord-verified-role.js";
import type { Environment } from "./environment.js";

const PRODUCT_NAME = "Hookline";

export interface DiscordWiring {
  readonly environment: Environment;
  readonly database: Database;
  readonly outbox: Outbox;
  /** Counts the throttle of confirm mails; the database does where it is null. */
  readonly redis: EngineRedis | null;
  /** Null where no mail can be sent: then `/link` says that it is unavailable. */
  readonly mailer: Mailer | null;
  /** The same as the destination's. */
  readonly rateLimits: DiscordRateLimits;
  readonly guilds: DiscordGuilds;
  /** It is made after this. */
  readonly engine: () => Engine;
  /** The server can have its commands now. */
  readonly onInstalled: (guildId: string) => void;
  readonly saveDerived: (tenantId: string, patch: DerivedPatch) => Promise<void>;
  readonly commands: readonly AnyCommand[];
  readonly components: readonly AnyComponent[];
  readonly logger: Logger;
}

/** The Discord side of the app: what comes in, commands and buttons, and `/link` with its page. */
export function createDiscord(wiring: DiscordWiring) {
  const { environment, database, outbox, mailer, logger } = wiring;
  const base = environment.API_PUBLIC_URL.replace(/\/$/, "");

  const coldConnect = createColdConnect({
    database,
    outbox,
    logger,
    tenantId: environment.TENANT_ID,
    connectorId: DISCORD_PROVIDER_ID,
    identityKind: DISCORD_PROVIDER_ID,
    platformKey: (userId) => userId,
    linkedEvent: "discord.linked",
    identifyPropKey: "discord_id",
    buildIngest: ({ platformUserId }) => ({
      eventProperties: { source: "discord" },
      contactProperties: { discord: { id: platformUserId } },
    }),
    ...(mailer ? { mail: { mailer, apiPublicUrl: base } } : {}),
    ...(wiring.redis ? { redis: wiring.redis } : {}),
    ...(environment.POSTHOG_PROJECT_KEY
      ? {
          analytics: postHogAnalytics({ projectKey: environment.POSTHOG_PROJECT_KEY, host: environment.POSTHOG_HOST }),
        }
      : {}),
    branding: {
      productName: PRODUCT_NAME,
      platformName: "Discord",
      accentColor: "#5865f2",
      errorCopy: "Run /link in Discord again to get a new link.",
    },
    // At least once: granting a role that the member has changes nothing, nor does removing one that is gone.
    async afterBind({ tenantId, platformUserId }) {
      await tellDiscord(tenantId, platformUserId);
      return verifiedRole.grant({ tenantId, userId: platformUserId });
    },
    async afterUnbind({ tenantId, platformUserId }) {
      await tellDiscord(tenantId, platformUserId);
      return verifiedRole.remove({ tenantId, userId: platformUserId });
    },
  });

  /** Linked Roles, as a delivery of its own: a role that can't be granted holds it up as little as the other way round. */
  async function tellDiscord(tenantId: string, discordId: string): Promise<void> {
    const order = connector.linkedRoleSync({ tenantId, discordId });
    if (order) await outbox.send(order);
  }

  const verifiedRole = createVerifiedRole({ guilds: wiring.guilds, actions: () => connector.actions });

  const connector = createDiscordConnector({
    applicationId: environment.DISCORD_APPLICATION_ID,
    clientSecret: environment.DISCORD_CLIENT_SECRET,
    publicKeyHex: environment.DISCORD_PUBLIC_KEY,
    botToken: environment.DISCORD_BOT_TOKEN,
    restBaseUrl: environment.DISCORD_API_BASE_URL,
    ingressSecrets: environment.CONNECTOR_INGRESS_SECRET,
    ...(environment.PLAIN_INGRESS_SECRET ? { plainIngressSecret: environment.PLAIN_INGRESS_SECRET } : {}),
    directMessages: environment.DISCORD_DIRECT_MESSAGES,
    keep: {
      bots: environment.DISCORD_KEEP?.includes("bots") ?? false,
      webhooks: environment.DISCORD_KEEP?.includes("webhooks") ?? false,
      systemMessages: environment.DISCORD_KEEP?.includes("system") ?? false,
    },
    componentSecret: environment.COMPONENT_SECRET,
    redirectUri: `${base}/v1/connectors/discord/oauth/callback`,
    productName: PRODUCT_NAME,
    resolveTenant: wiring.guilds.tenantOf,
    listTenants: wiring.guilds.tenants,
    linkedRoles: createLinkedRoles({ platformName: PRODUCT_NAME, engine: wiring.engine }),
    async saveDerived(patch) {
      for (const guild of Object.values(patch)) {
        if (!(await wiring.guilds.save(guild))) return { ok: false, reason: "guild_taken" };
        await wiring.saveDerived(guild.tenantId, { [`guild.${guild.id}`]: guild });
        wiring.onInstalled(guild.id);
      }
      return undefined;
    },
    // Ends as a confirmed link does: one contact, `discord.linked`, the verified role.
    async resolveContact({ discordId, discordUserName, email, tenantId, linkId }) {
      try {
        await coldConnect.bind({
          platformUserId: discordId,
          platformUserName: discordUserName,
          email,
          tenantId,
          idempotencyKey: linkId,
        });
        return undefined;
      } catch (error) {
        // The key of this link stands for another account, and nothing was changed.
        if ((error as { code?: unknown }).code === "idempotency_conflict") return { ok: false, reason: "link_used" };
        throw error;
      }
    },
    // By the interaction's id: Discord may send one twice, and one mail is enough.
    requestConfirm: ({ discordUserId, discordUserName, tenantId, email, interactionId }) =>
      coldConnect.requestConfirm({
        platformUserId: discordUserId,
        platformUserName: discordUserName,
        email,
        tenantId,
        idempotencyKey: interactionId,
      }),
    unlink: ({ discordUserId, tenantId, reason, requestId }) =>
      coldConnect.unbind({ platformUserId: discordUserId, tenantId, reason, idempotencyKey: requestId }),
    commands: wiring.commands,
    components: wiring.components,
    rateLimits: wiring.rateLimits,
    logger,
  });

  return { coldConnect, connector };
}
