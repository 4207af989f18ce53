import {
  createDiscordRateLimits,
  DISCORD_PROVIDER_ID,
  discordDestination,
  discordEvents,
} from "@hookline/connector-discord";
import { type Logger, problemResponse } from "@hookline/core";
import { SLACK_DESTINATION_ID, slackDestination } from "@hookline/destination-slack";
import { createDispatcher } from "@hookline/dispatcher";
import { webhookRoutes } from "@hookline/dispatcher/http";
import { createApp, createEngine, type Engine, saveDerivedCredential } from "@hookline/engine";
import { migrate, openDatabase } from "@hookline/postgres";
import { createCommandMemory } from "./command-memory.js";
import { createAccounts } from "./desk/accounts.js";
import { createAiResponses } from "./desk/ai-responses.js";
import { channelSubscriptions, subscribeChannels } from "./desk/channels.js";
import { createConversations } from "./desk/conversations.js";
import type { DeskStore } from "./desk/desk-store.js";
import { erxesIntake } from "./desk/erxes-intake.js";
import { createInventory } from "./desk/inventory.js";
import { createMachineButtons } from "./desk/machine-buttons.js";
import { createMachines } from "./desk/machines.js";
import { discordTemplates, slackTemplates } from "./desk/messages.js";
import { deskMigrations } from "./desk/migrations/index.js";
import { deskPersonalData } from "./desk/personal-data.js";
import { createTicketAction, ensureSupportAutomation } from "./desk/ticket-action.js";
import { createTicketActions } from "./desk/ticket-actions.js";
import { createTicketCommands } from "./desk/ticket-command.js";
import { deskIntake } from "./desk/ticket-intake.js";
import { createTickets, type Tickets } from "./desk/tickets.js";
import { createDiscord } from "./discord.js";
import { createDiscordGuilds } from "./discord-guilds.js";
import type { Environment } from "./environment.js";
import { catalogue } from "./events/index.js";
import { linkEvents } from "./events/link-events.js";
import { createFirstStart } from "./first-start.js";
import { createAccountRoutes } from "./http/account-routes.js";
import { createAiRoutes } from "./http/ai-routes.js";
import { createDiscordRoutes } from "./http/discord-routes.js";
import { createInventoryRoutes } from "./http/inventory-routes.js";
import { createMachineRoutes } from "./http/machine-routes.js";
import { createMailRoutes } from "./http/mail-routes.js";
import { createTicketRoutes } from "./http/ticket-routes.js";
import { createMailing } from "./mailing.js";
import { queueGauges } from "./metrics.js";
import { deliveryNotices, warnOfGuardedDiscord } from "./notices.js";
import { createPlatformApi } from "./platform/platform-api.js";
import { receiverUrl } from "./platform/receiver.js";
import { createWebhookCommands } from "./platform/webhook-commands.js";
import { createRedis } from "./redis.js";
import { createRegistration } from "./registration.js";
import { configuredSources } from "./sources.js";
import { createUpkeep } from "./upkeep.js";

const DESK_SCHEMA = "desk";

/**
 * Puts every package together into one server: database, dispatcher, cold-connect, connector, engine, app, in the
 * order in which one needs the other.
 */
export async function compose(environment: Environment, logger: Logger) {
  const tenantId = environment.TENANT_ID;
  const channels = channelSubscriptions(
    environment.DISCORD_WEBHOOK_CHANNELS,
    catalogue.map(({ type }) => type),
  );
  const database = await openDatabase(environment.DATABASE_URL, { logger });

  const dispatcher = createDispatcher({
    database,
    events: [...catalogue, ...linkEvents, ...discordEvents],
    encryptionKey: environment.ENCRYPTION_KEY,
    addressGuard: {
      allow: environment.ADDRESS_GUARD_ALLOW ?? [],
      allowHttp: environment.ADDRESS_GUARD_ALLOW_HTTP,
    },
    ...(environment.RETRY_SCHEDULE_SECONDS
      ? { retrySchedule: { delaysMs: environment.RETRY_SCHEDULE_SECONDS.map((seconds) => seconds * 1000) } }
      : {}),
    hooks: deliveryNotices(logger),
    logger,
  });

  const store: DeskStore = {
    database,
    outbox: dispatcher,
    linkContact: (...linking) => engine.identity.linkContact(...linking),
    schema: DESK_SCHEMA,
  };
  const tickets = createTickets(store);
  // The events of tickets that automations open remember that, so that a loop ends.
  const automatedTickets = createTickets({
    ...store,
    get outbox() {
      return engine.automations.outbox;
    },
  });
  const machines = createMachines(store);
  const ticket = createTicketCommands({
    intake: ticketIntake({ environment, tickets, store, logger }),
    priorities: environment.TICKET_PRIORITIES,
    further: environment.TICKET_FIELDS,
  });
  const ticketActions = createTicketActions({ tickets });
  const machineButtons = createMachineButtons({ machines });
  const webhookCommands = createWebhookCommands({
    tenantId,
    platform: platformOf(environment),
    receiverUrl: receiverUrl(environment.API_PUBLIC_URL),
    secret: environment.XTSYSTEMS_WEBHOOK_SECRET?.[0] ?? null,
    channels: environment.DISCORD_WEBHOOK_CHANNELS,
    sources: () => engine.sources,
    health: () => dispatcher.health(),
  });

  const rateLimits = createDiscordRateLimits({ logger });
  const redis = createRedis(environment, logger);
  const { mailer, localMailer, closeMailer } = createMailing({ environment, database });
  const guilds = createDiscordGuilds({
    installations: () => engine.installations,
    own: {
      guildId: environment.DISCORD_GUILD_ID,
      tenantId,
      verifiedRoleId: environment.DISCORD_VERIFIED_ROLE_ID ?? null,
    },
    logger,
  });
  const { coldConnect, connector: discord } = createDiscord({
    environment,
    database,
    outbox: dispatcher,
    redis: redis?.client ?? null,
    mailer,
    rateLimits,
    guilds,
    engine: () => engine,
    onInstalled: (guildId) => registerCommands(guildId),
    saveDerived: async (tenantId, patch) => {
      await saveDerivedCredential(engine.credentials, { providerId: discord.id, tenantId }, patch);
    },
    commands: [...ticket.commands, ...webhookCommands],
    components: [...ticket.modals, ...Object.values(ticketActions), ...Object.values(machineButtons)],
    logger,
  });

  const engine = createEngine({
    database,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [discord],
    sources: configuredSources(environment),
    actions: [createTicketAction({ tickets: automatedTickets }), ...discord.automationActions],
    messageDestinations: [DISCORD_PROVIDER_ID, SLACK_DESTINATION_ID],
    encryptionKey: environment.ENCRYPTION_KEY,
    personalData: [deskPersonalData(store)],
    ...(redis ? { redis: redis.client } : {}),
    logger,
  });

  const messages = discordDestination({
    botToken: environment.DISCORD_BOT_TOKEN,
    restBaseUrl: environment.DISCORD_API_BASE_URL,
    componentSecret: environment.COMPONENT_SECRET,
    rateLimits,
    resolveTenant: guilds.tenantOf,
    templates: discordTemplates({
      buttons: { machine: machineButtons, ticket: ticketActions },
      ofTheDesk: {
        ticket: async (key) => (await tickets.get(key)) !== null,
        machine: async ({ tenantId, id }) => (await machines.get(tenantId, id)) !== null,
      },
    }),
  });
  const slack = slackDestination({
    templates: slackTemplates(),
    // The bot is in the own workspace; other tenants bring the URL of a webhook.
    resolveTenant: () => tenantId,
    ...(environment.SLACK_BOT_TOKEN ? { botToken: environment.SLACK_BOT_TOKEN } : {}),
  });
  const own = [messages, slack, coldConnect.destination, coldConnect.unbindDestination, coldConnect.mailDestination];
  for (const destination of [...own, ...discord.destinations, ...engine.automations.destinations]) {
    dispatcher.use(destination);
  }

  const registration = createRegistration({ logger });
  const registerCommands = (guildId: string) =>
    registration.start(`commands of ${guildId}`, async () => {
      const isOwn = (await guilds.tenantOf(guildId)) === tenantId;
      const memory = createCommandMemory({ database, schema: DESK_SCHEMA, guildId });
      return discord.registerCommands({ guildId, memory, ...(isOwn ? {} : { without: webhookCommands }) });
    });

  const firstStart = createFirstStart({ database, schema: DESK_SCHEMA });
  const upkeep = createUpkeep({ engine, endpoints: dispatcher.endpoints, logger });

  const app = createApp(engine, {
    info: { title: "Hookline reference app" },
    trustProxy: environment.TRUST_PROXY,
    // A loop that stopped working must not go on taking requests whose deliveries nobody makes.
    readiness: {
      dispatcher: async () => (await dispatcher.health()).status === "working",
      ...(redis ? { redis: redis.isReady } : {}),
    },
    metrics: { open: environment.METRICS_OPEN, gauges: queueGauges(dispatcher) },
    routes: [
      coldConnect.routes,
      webhookRoutes(dispatcher, { authenticate: tenantOf(engine), destinations: [messages.id, slack.id] }),
      createTicketRoutes({ engine, tickets, conversations: createConversations(store) }),
      createAiRoutes({ engine, aiResponses: createAiResponses(store) }),
      createMachineRoutes({ engine, machines }),
      createInventoryRoutes({ engine, inventory: createInventory(store) }),
      createDiscordRoutes({ engine, connector: discord, guilds }),
      createAccountRoutes({ engine, accounts: createAccounts(store) }),
      ...(localMailer ? [createMailRoutes({ engine, mailer: localMailer })] : []),
    ],
  });

  return {
    app,

    /** Makes the tables, the API key and the channel subscriptions, and begins to deliver. */
    async start() {
      warnOfGuardedDiscord(environment, logger);
      await redis?.connect();
      await dispatcher.migrate();
      await engine.migrate();
      await migrate(database, { schema: DESK_SCHEMA, component: "desk", migrations: deskMigrations });
      await engine.apiKeys.ensure({
        tenantId,
        name: "environment",
        key: environment.API_KEY,
        scopes: ["read", "write", "admin", "tenants"],
      });
      await firstStart.once(`server ${environment.DISCORD_GUILD_ID} of ${tenantId}`, guilds.ensureOwn);
      await ensureSupportAutomation(engine, tenantId);
      await subscribeChannels({ dispatcher, tenantId, destination: messages.id, channels });
      await dispatcher.start();
      for (const guildId of await guilds.all()) registerCommands(guildId);
      registration.start("fields of linked roles", discord.registerLinkedRoleFields);
      upkeep.start();
    },

    /** Finishes what was accepted, then lets go of the database. */
    async stop() {
      await registration.stop();
      await upkeep.stop();
      await engine.close();
      await dispatcher.stop();
      closeMailer();
      redis?.close();
      await database.close();
    },
  };
}

function platformOf({ XTSYSTEMS_API_URL: url, XTSYSTEMS_API_KEY: apiKey }: Environment) {
  return url === undefined || apiKey === undefined ? null : { url, api: createPlatformApi({ url, apiKey }) };
}

/** Reading needs the scope \`read\`, everything else \`write\`. */
function tenantOf(engine: Engine) {
  return async (request: Request) => {
    const principal = await engine.authenticate(request);
    const scope = request.method === "GET" ? "read" : "write";
    if (principal === null || principal.scopes.includes(scope)) return principal;
    const detail = `This API key does not have the scope "${scope}".`;
    return problemResponse({ status: 403, code: "scope_missing", detail });
  };
}

/** Tickets go to erxes where it is configured, else to the own desk. */
function ticketIntake(options: { environment: Environment; tickets: Tickets; store: DeskStore; logger: Logger }) {
  const { store, logger } = options;
  const { ERXES_WEBHOOK_URL: url, ERXES_BEARER_TOKEN: bearerToken, ERXES_HMAC_SECRET: secret } = options.environment;
  if (url === undefined || bearerToken === undefined || secret === undefined) return deskIntake(options.tickets);
  return erxesIntake({ url, bearerToken, secret, store, logger });
}
