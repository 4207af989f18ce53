import {
  createDiscordConnector,
  DISCORD_PROVIDER_ID,
  type DiscordButton,
  type DiscordCommand,
  type DiscordModal,
} from "@hookline/connector-discord";
import type { Logger, Mailer, Outbox } from "@hookline/core";
import { createColdConnect } from "@hookline/engine";
import type { Database } from "@hookline/postgres";
import type { Environment } from "./environment.js";

const PRODUCT_NAME = "Hookline";

export interface DiscordWiring {
  readonly environment: Environment;
  readonly database: Database;
  readonly outbox: Outbox;
  /** Null where no mail can be sent: then `/link` says that it is unavailable. */
  readonly mailer: Mailer | null;
  readonly saveDerived: (patch: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly commands: readonly DiscordCommand[];
  readonly components: readonly (DiscordButton | DiscordModal)[];
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
    branding: {
      productName: PRODUCT_NAME,
      platformName: "Discord",
      accentColor: "#5865f2",
      errorCopy: "Run /link in Discord again to get a new link.",
    },
    // At least once: granting a role that the member has changes nothing.
    async afterBind({ platformUserId }) {
      const { DISCORD_GUILD_ID: guildId, DISCORD_VERIFIED_ROLE_ID: roleId } = environment;
      if (!roleId) return undefined;
      const granted = await connector.grantRole({ guildId, roleId, userId: platformUserId });
      if (granted.ok) return undefined;
      const passes = granted.reason === "rate_limited" || granted.reason === "unavailable";
      return {
        outcome: passes ? ("retry" as const) : ("dead" as const),
        reason: granted.message,
        ...(granted.reason === "rate_limited" ? { retryAfterMs: granted.retryAfterMs } : {}),
      };
    },
  });

  const connector = createDiscordConnector({
    applicationId: environment.DISCORD_APPLICATION_ID,
    clientSecret: environment.DISCORD_CLIENT_SECRET,
    publicKeyHex: environment.DISCORD_PUBLIC_KEY,
    botToken: environment.DISCORD_BOT_TOKEN,
    restBaseUrl: environment.DISCORD_API_BASE_URL,
    ingressSecrets: environment.CONNECTOR_INGRESS_SECRET,
    componentSecret: environment.COMPONENT_SECRET,
    redirectUri: `${base}/v1/connectors/discord/oauth/callback`,
    studioIntegrationsUrl: `${base}/studio/integrations`,
    // Other servers that the bot was added to are nobody's: what comes from there is ignored.
    resolveTenant: (guildId) =>
      guildId === null || guildId === environment.DISCORD_GUILD_ID ? environment.TENANT_ID : null,
    saveDerived: wiring.saveDerived,
    // Ends as a confirmed link does: one contact, `discord.linked`, the verified role.
    async resolveContact({ discordId, discordUserName, email, tenantId }) {
      await coldConnect.bind({ platformUserId: discordId, platformUserName: discordUserName, email, tenantId });
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
    commands: wiring.commands,
    components: wiring.components,
    logger,
  });

  return { coldConnect, connector };
}
