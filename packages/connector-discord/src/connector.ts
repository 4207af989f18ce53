import { type Clock, type Connector, type Logger, silentLogger, systemClock } from "@hookline/core";
import { createIngressRoute } from "./ingress/ingress-route.js";
import { createTransform } from "./ingress/transform.js";
import { createCustomIds } from "./interactions/custom-id.js";
import type { DiscordButton } from "./interactions/define-button.js";
import type { DiscordCommand } from "./interactions/define-command.js";
import type { DiscordModal } from "./interactions/define-modal.js";
import { createFollowUpDestination } from "./interactions/follow-up-destination.js";
import { createHandlers } from "./interactions/handlers.js";
import { createInteractionsRoute } from "./interactions/interactions-route.js";
import { createLink, type RequestConfirm } from "./interactions/link.js";
import { createOAuth, type DerivedPatch, type OAuth, type ResolveContactRequest } from "./oauth/oauth.js";
import { createOAuthRoutes } from "./oauth/oauth-routes.js";
import { createOAuthStates } from "./oauth/oauth-state.js";
import { assertOption, assertSecret, checkBaseUrl } from "./options.js";
import { DISCORD_PROVIDER_ID } from "./provider.js";
import { createDiscordRest, REST_DEFAULTS } from "./rest/discord-rest.js";
import { grantRole, type RoleGrant, type RoleGrantResult } from "./rest/grant-role.js";
import { type RegisterCommandsOptions, type RegisteredCommands, registerCommands } from "./rest/register-commands.js";

export interface DiscordConnectorOptions {
  readonly applicationId: string;
  readonly clientSecret: string;
  /** The application's public key, 64 hex digits: it verifies interactions. */
  readonly publicKeyHex: string;
  /** Any of them verifies the gateway worker's batches, so two overlap during a rotation. Each at least 32 characters. */
  readonly ingressSecrets: readonly string[];
  /** Signs custom_ids and the state of OAuth. At least 32 characters; buttons on old messages die with it. */
  readonly componentSecret: string;
  /** The public address of this connector's `/oauth/callback`. */
  readonly redirectUri: string;
  /** Where an operator's browser ends after an installation. */
  readonly studioIntegrationsUrl: string;
  /** Stores what an installation has shown, one key for each server; merge it, do not replace. */
  readonly saveDerived: (patch: DerivedPatch) => Promise<void>;
  /** Binds an account after the OAuth member link; do there what is done after `/link`. */
  readonly resolveContact: (request: ResolveContactRequest) => Promise<void>;
  /** Mints a confirm token and mails its link, for `/link`. */
  readonly requestConfirm: RequestConfirm;
  /** The tenant of a server; null for none, whose packets are ignored. `default` for all when absent. Called with null for a direct message. */
  readonly resolveTenant?: (guildId: string | null) => string | null | Promise<string | null>;
  /** Besides `/link`. */
  readonly commands?: readonly DiscordCommand[];
  /** Every button and modal that a command, a message or another component shows. */
  readonly components?: readonly (DiscordButton | DiscordModal)[];
  /** Whether `discord.message_sent` carries the message's text; false when absent. */
  readonly storeMessageText?: boolean;
  /** Needed by `registerCommands` and `grantRole` only. */
  readonly botToken?: string;
  /** `https://discord.com/api/v10` when absent. */
  readonly restBaseUrl?: string;
  /** Where browsers are sent; `/oauth2/authorize` beside `/api` of `restBaseUrl` when absent. */
  readonly authorizeUrl?: string;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface DiscordConnector extends Connector {
  /** Creates and changes our slash commands, one by one; needs the bot token. */
  registerCommands(options?: RegisterCommandsOptions): Promise<RegisteredCommands>;
  /** Gives a member a role; needs the bot token. Expected refusals are answered, not thrown. */
  grantRole(grant: RoleGrant): Promise<RoleGrantResult>;
  /** Begins an OAuth round: `{ purpose: "install", tenantId }` or `{ purpose: "member_link", tenantId, email }`. */
  readonly startOAuth: OAuth["start"];
}

/**
 * Discord's inbound side: the ingress of the gateway worker, interactions with `/link`, and OAuth.
 *
 * Throws `invalid_option` and `duplicate_name`.
 *
 * @see https://docs.discord.com/developers/interactions/receiving-and-responding
 */
export function createDiscordConnector(options: DiscordConnectorOptions): DiscordConnector {
  checkOptions(options);
  const { applicationId, botToken, clock = systemClock, logger = silentLogger } = options;
  const restBaseUrl = checkBaseUrl("restBaseUrl", options.restBaseUrl ?? REST_DEFAULTS.restBaseUrl);
  const rest = createDiscordRest({ restBaseUrl, botToken, fetch: options.fetch ?? fetch, clock });
  const resolveTenant = async (guildId: string | null) =>
    options.resolveTenant === undefined ? "default" : options.resolveTenant(guildId);

  const link = createLink({ requestConfirm: options.requestConfirm, logger });
  const commands = [link.command, ...(options.commands ?? [])];
  const customIds = createCustomIds(options.componentSecret);
  const handlers = createHandlers({ commands, components: [link.modal, ...(options.components ?? [])], customIds });

  const states = createOAuthStates(options.componentSecret);
  const oauth = createOAuth({
    ...options,
    authorizeUrl: options.authorizeUrl ?? authorizeUrlOf(restBaseUrl),
    states,
    rest,
    clock,
  });
  const transform = createTransform({
    applicationId,
    storeMessageText: options.storeMessageText ?? false,
    resolveTenant,
  });

  return {
    id: DISCORD_PROVIDER_ID,
    identityKinds: [DISCORD_PROVIDER_ID],
    mergedProperties: [DISCORD_PROVIDER_ID],
    routes: [
      createIngressRoute({ secrets: options.ingressSecrets, transform, clock }),
      createInteractionsRoute({ publicKeyHex: options.publicKeyHex, resolveTenant, customIds, handlers, clock }),
      ...createOAuthRoutes({ oauth, states, studioIntegrationsUrl: options.studioIntegrationsUrl, clock }),
    ],
    destinations: [createFollowUpDestination({ rest, clock, logger, customIds, handlers })],
    registerCommands: async (registering = {}) => registerCommands(rest, { applicationId, commands }, registering),
    grantRole: (grant) => grantRole(rest, grant),
    startOAuth: oauth.start,
  };
}

function checkOptions(options: DiscordConnectorOptions): void {
  assertOption(/^\d{1,20}$/.test(options.applicationId), "applicationId is the application's id, all digits.");
  assertOption(/^[0-9a-f]{64}$/i.test(options.publicKeyHex), "publicKeyHex is the public key, 64 hex digits.");
  assertOption(options.ingressSecrets.length > 0, "ingressSecrets is empty; the ingress takes at least one secret.");
  options.ingressSecrets.forEach((secret, index) => {
    assertSecret(`ingressSecrets[${index}]`, secret);
  });
  assertSecret("componentSecret", options.componentSecret);
  for (const name of ["redirectUri", "studioIntegrationsUrl"] as const) {
    assertOption(URL.canParse(options[name]), `${name} is not a URL.`);
  }
}

/** Discord's page stands at /oauth2/authorize of the host whose API is at /api/v10. */
function authorizeUrlOf(restBaseUrl: string): string {
  return `${new URL(restBaseUrl).origin}/oauth2/authorize`;
}
