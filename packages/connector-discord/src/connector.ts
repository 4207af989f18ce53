import {
  type Action,
  type Clock,
  type Connector,
  type DirectSend,
  type Logger,
  silentLogger,
  systemClock,
} from "@hookline/core";
import { createAutomationActions } from "./actions/automation-actions.js";
import { createDiscordActions, type DiscordActions } from "./actions/discord-actions.js";
import { createIngressRoute } from "./ingress/ingress-route.js";
import { createShardLeaseRoute } from "./ingress/shard-lease-route.js";
import { createTransform } from "./ingress/transform.js";
import type { KeptNoise } from "./ingress/transformed.js";
import { createCustomIds } from "./interactions/custom-id.js";
import { createFollowUpDestination } from "./interactions/follow-up-destination.js";
import { type AnyCommand, type AnyComponent, createHandlers } from "./interactions/handlers.js";
import { createInteractionsRoute } from "./interactions/interactions-route.js";
import { createLink, createRequestLink, type RequestConfirm } from "./interactions/link.js";
import { createUnlink, type Unlink } from "./interactions/unlink.js";
import {
  createLinkedRoleDestinations,
  toLinkedRoleRelease,
  toLinkedRoleSync,
} from "./linked-roles/linked-role-destination.js";
import type { DiscordAccount, LinkedRolesOptions } from "./linked-roles/options.js";
import { type RegisteredLinkedRoleFields, registerLinkedRoleFields } from "./linked-roles/register-fields.js";
import { createLinkedRoleRoutes } from "./oauth/linked-role-routes.js";
import { createMemberTickets } from "./oauth/member-ticket.js";
import { createOAuth, type OAuth, type OAuthOptions } from "./oauth/oauth.js";
import { createOAuthRoutes } from "./oauth/oauth-routes.js";
import { createOAuthStates } from "./oauth/oauth-state.js";
import { createPages } from "./oauth/pages.js";
import { createTokenExchange } from "./oauth/token-exchange.js";
import { assertOption, assertSecret, checkBaseUrl } from "./options.js";
import { DISCORD_PROVIDER_ID } from "./provider.js";
import { createChannelGuilds } from "./rest/channel-guilds.js";
import { createDiscordRest, REST_DEFAULTS } from "./rest/discord-rest.js";
import { createDiscordRateLimits, type DiscordRateLimits } from "./rest/rate-limits.js";
import { type RegisterCommandsOptions, type RegisteredCommands, registerCommands } from "./rest/register-commands.js";
import { createDeauthorizationDestination } from "./webhook-events/deauthorization-destination.js";
import { createWebhookEventsRoute } from "./webhook-events/webhook-events-route.js";

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
  /** Where an operator's browser ends after an installation; a page of the connector's own when absent. */
  readonly studioIntegrationsUrl?: string;
  /** The product that Discord is connected to, as the OAuth pages call it; `this service` when absent. */
  readonly productName?: string;
  /**
   * Stores what an installation has shown, one key for each server; merge it, do not replace. `guild_taken` says that
   * the server is another tenant's.
   */
  readonly saveDerived: OAuthOptions["saveDerived"];
  /**
   * Binds an account after the OAuth member link, once for each `linkId`; do there what is done after `/link`.
   * `link_used` says that the link has bound another account.
   */
  readonly resolveContact: OAuthOptions["resolveContact"];
  /** Mints a confirm token and mails its link, for `/link`. */
  readonly requestConfirm: RequestConfirm;
  /** Ends the connection that `/link` made; there is no `/unlink` where it is absent. */
  readonly unlink?: Unlink;
  /** Says of linked members what servers can ask of them in linked roles; nothing is said where it is absent. */
  readonly linkedRoles?: LinkedRolesOptions;
  /**
   * The tenants whose contacts a Discord account can be: who removes the application at Discord is unlinked in all of
   * them. That of direct messages when absent.
   */
  readonly listTenants?: () => Promise<readonly string[]>;
  /** The tenant of a server; null for none, whose packets are ignored. `default` for all when absent. Called with null for a direct message. */
  readonly resolveTenant?: (guildId: string | null) => string | null | Promise<string | null>;
  /** Besides `/link` and `/unlink`. */
  readonly commands?: readonly AnyCommand[];
  /** Every button, menu and modal that a command, a message or another component shows. */
  readonly components?: readonly AnyComponent[];
  /** Whether events carry what people wrote: a message's text, a thread's name, a moderator's reason; false when absent. */
  readonly storeMessageText?: boolean;
  /**
   * Noise that becomes events too, with `sender` in their data: what bots do (never our own), messages of webhooks and
   * bots' answers to commands, Discord's own words. Each false when absent.
   */
  readonly keep?: Partial<KeptNoise>;
  /** Whether direct messages to the bot become events too; false when absent. The worker needs the intent DIRECT_MESSAGES. */
  readonly directMessages?: boolean;
  /**
   * Accepts packets one by one, `{ __t, d }` with this secret in `x-hogsend-ingress-secret`, as gateway workers of
   * `@hogsend/plugin-discord` send them. At least 32 characters. Refused when absent.
   */
  readonly plainIngressSecret?: string;
  /** Needed by `registerCommands` and `actions` only. */
  readonly botToken?: string;
  /** `https://discord.com/api/v10` when absent. */
  readonly restBaseUrl?: string;
  /** Where browsers are sent; `/oauth2/authorize` beside `/api` of `restBaseUrl` when absent. */
  readonly authorizeUrl?: string;
  /** Those of the process: give the destination the same. Its own when absent. */
  readonly rateLimits?: DiscordRateLimits;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface DiscordConnector extends Connector {
  /** Creates and changes our commands, slash and menus, one by one; needs the bot token. */
  registerCommands(options?: RegisterCommandsOptions): Promise<RegisteredCommands>;
  /** What the bot can do to people and messages; needs the bot token. */
  readonly actions: DiscordActions;
  /** The same as steps of automations, for `createEngine`; each acts only in servers of the automation's tenant. */
  readonly automationActions: readonly Action[];
  /**
   * An address whose page begins an OAuth round in whatever browser it is opened, for 15 minutes:
   * `{ purpose: "install", tenantId }`, `{ purpose: "member_link", tenantId, email }` or `{ purpose: "linked_role",
   * tenantId }`. Whoever has the address of a member link can connect an account of theirs to `email`, once: give it to
   * that person alone.
   */
  readonly oauthLink: OAuth["link"];
  /** Brings the fields of `linkedRoles` up to date at Discord, others' stay; needs the bot token. */
  registerLinkedRoleFields(): Promise<RegisteredLinkedRoleFields>;
  /**
   * What to send through the outbox after a member was linked or unlinked: Discord is told what `linkedRoles.describe`
   * says when it runs. Null without `linkedRoles`.
   */
  linkedRoleSync(account: DiscordAccount): DirectSend | null;
  /** Begins a round at once, for a route of yours that knows who sits at the browser. */
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
  const rateLimits = options.rateLimits ?? createDiscordRateLimits({ clock, logger });
  const rest = createDiscordRest({ restBaseUrl, botToken, fetch: options.fetch ?? fetch, clock, rateLimits });
  const resolveTenant = async (guildId: string | null) =>
    options.resolveTenant === undefined ? "default" : options.resolveTenant(guildId);

  const requestLink = createRequestLink({ requestConfirm: options.requestConfirm, logger });
  const link = createLink({ requestLink });
  const unlink = options.unlink ? createUnlink({ unlink: options.unlink }) : { commands: [], components: [] };
  const commands = [link.command, ...unlink.commands, ...(options.commands ?? [])];
  const customIds = createCustomIds(options.componentSecret);
  const handlers = createHandlers({
    commands,
    components: [link.modal, ...unlink.components, ...(options.components ?? [])],
    customIds,
  });

  const states = createOAuthStates(options.componentSecret);
  const authorizeUrl = options.authorizeUrl ?? authorizeUrlOf(restBaseUrl);
  const exchange = createTokenExchange({ ...options, rest, clock });
  const tickets = createMemberTickets(options.componentSecret);
  const linkedRoles = options.linkedRoles ?? null;
  const oauth = createOAuth({ ...options, authorizeUrl, states, tickets, rest, exchange, linkedRoles, clock });
  const pages = createPages({ productName: options.productName ?? "this service", authorizeUrl });
  const listTenants =
    options.listTenants ?? (async () => [await resolveTenant(null)].filter((tenantId) => tenantId !== null));
  const transform = createTransform({
    applicationId,
    storeMessageText: options.storeMessageText ?? false,
    directMessages: options.directMessages ?? false,
    keep: { bots: false, webhooks: false, systemMessages: false, ...options.keep },
    resolveTenant,
  });

  const actions = createDiscordActions({ rest, customIds });

  return {
    id: DISCORD_PROVIDER_ID,
    identityKinds: [DISCORD_PROVIDER_ID],
    mergedProperties: [DISCORD_PROVIDER_ID],
    routes: [
      createIngressRoute({
        secrets: options.ingressSecrets,
        plainSecret: options.plainIngressSecret ?? null,
        transform,
        clock,
      }),
      createShardLeaseRoute({ secrets: options.ingressSecrets, clock }),
      createInteractionsRoute({ publicKeyHex: options.publicKeyHex, resolveTenant, customIds, handlers, clock }),
      createWebhookEventsRoute({ publicKeyHex: options.publicKeyHex, resolveTenant, listTenants, clock }),
      ...createOAuthRoutes({
        oauth,
        states,
        pages,
        redirectUri: options.redirectUri,
        studioIntegrationsUrl: options.studioIntegrationsUrl ?? null,
        clock,
      }),
      ...(linkedRoles
        ? createLinkedRoleRoutes({ ...options, oauth, tickets, pages, resolveTenant, requestLink, clock })
        : []),
    ],
    destinations: [
      createFollowUpDestination({ rest, clock, logger, customIds, handlers }),
      createDeauthorizationDestination({
        unlink: options.unlink ?? null,
        grantedAt: async (account) => linkedRoles?.tokens.grantedAt(account) ?? null,
      }),
      ...(linkedRoles ? createLinkedRoleDestinations({ applicationId, linkedRoles, exchange, rest, clock }) : []),
    ],
    releaseTokens: (tenantId) => (linkedRoles ? toLinkedRoleRelease(tenantId) : null),
    registerCommands: async (registering = {}) => registerCommands(rest, { applicationId, commands }, registering),
    actions,
    automationActions: createAutomationActions({
      actions,
      rest,
      guildOf: createChannelGuilds(rest, clock),
      resolveTenant,
    }),
    registerLinkedRoleFields: async () =>
      registerLinkedRoleFields(rest, { applicationId, fields: linkedRoles?.fields ?? [] }),
    linkedRoleSync: (account) => (linkedRoles ? toLinkedRoleSync(account) : null),
    oauthLink: oauth.link,
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
  if (options.plainIngressSecret !== undefined) assertSecret("plainIngressSecret", options.plainIngressSecret);
  assertSecret("componentSecret", options.componentSecret);
  assertOption(URL.canParse(options.redirectUri), "redirectUri is not a URL.");
  assertOption(
    new URL(options.redirectUri).pathname.endsWith("/oauth/callback"),
    "redirectUri is the address of the connector's /oauth/callback.",
  );
  const { studioIntegrationsUrl } = options;
  assertOption(
    studioIntegrationsUrl === undefined || URL.canParse(studioIntegrationsUrl),
    "studioIntegrationsUrl is not a URL.",
  );
}

/** Discord's page stands at /oauth2/authorize of the host whose API is at /api/v10. */
function authorizeUrlOf(restBaseUrl: string): string {
  return `${new URL(restBaseUrl).origin}/oauth2/authorize`;
}
