import { discordDestination } from "@hookline/connector-discord";
import { type Logger, type Outbox, problemResponse } from "@hookline/core";
import { slackDestination } from "@hookline/destination-slack";
import { createDispatcher } from "@hookline/dispatcher";
import { webhookRoutes } from "@hookline/dispatcher/http";
import { createApp, createEngine, type Engine, saveDerivedCredential } from "@hookline/engine";
import { migrate, openDatabase } from "@hookline/postgres";
import { createCommandRegistration } from "./command-registration.js";
import { createAccounts } from "./desk/accounts.js";
import { createAiResponses } from "./desk/ai-responses.js";
import { channelSubscriptions, subscribeChannels } from "./desk/channels.js";
import { createConversations } from "./desk/conversations.js";
import { erxesIntake } from "./desk/erxes-intake.js";
import { createInventory } from "./desk/inventory.js";
import { createMachineButtons } from "./desk/machine-buttons.js";
import { createMachines } from "./desk/machines.js";
import { discordTemplates, slackTemplates } from "./desk/messages.js";
import { deskMigrations } from "./desk/migrations/index.js";
import { createTicketAction, ensureSupportAutomation } from "./desk/ticket-action.js";
import { createTicketActions } from "./desk/ticket-actions.js";
import { createTicketCommand } from "./desk/ticket-command.js";
import { deskIntake } from "./desk/ticket-intake.js";
import { createTickets, type Tickets } from "./desk/tickets.js";
import { createDiscord } from "./discord.js";
import type { Environment } from "./environment.js";
import { catalogue } from "./events/index.js";
import { createAccountRoutes } from "./http/account-routes.js";
import { createAiRoutes } from "./http/ai-routes.js";
import { createInventoryRoutes } from "./http/inventory-routes.js";
import { createMachineRoutes } from "./http/machine-routes.js";
import { createMailRoutes } from "./http/mail-routes.js";
import { createTicketRoutes } from "./http/ticket-routes.js";
import { createMailing } from "./mailing.js";
import { queueGauges } from "./metrics.js";
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
    events: catalogue,
    encryptionKey: environment.ENCRYPTION_KEY,
    addressGuard: {
      allow: environment.ADDRESS_GUARD_ALLOW ?? [],
      allowHttp: environment.ADDRESS_GUARD_ALLOW_HTTP,
    },
    ...(environment.RETRY_SCHEDULE_SECONDS
      ? { retrySchedule: { delaysMs: environment.RETRY_SCHEDULE_SECONDS.map((seconds) => seconds * 1000) } }
      : {}),
    logger,
  });

  const store = { database, outbox: dispatcher, schema: DESK_SCHEMA };
  const tickets = createTickets(store);
  const machines = createMachines(store);
  const ticket = createTicketCommand({
    intake: ticketIntake({ environment, tickets, outbox: dispatcher, logger }),
    priorities: environment.TICKET_PRIORITIES,
    further: environment.TICKET_FIELDS,
  });
  const ticketActions = createTicketActions({ tickets });
  const machineButtons = createMachineButtons({ machines });

  const { mailer, localMailer, closeMailer } = createMailing({ environment, database });
  const { coldConnect, connector: discord } = createDiscord({
    environment,
    database,
    outbox: dispatcher,
    mailer,
    saveDerived: async (patch) => {
      await saveDerivedCredential(engine.credentials, { providerId: discord.id, tenantId }, patch);
    },
    commands: [ticket.command],
    components: [
      ticket.modal,
      ticketActions.priorityModal,
      ...Object.values(ticketActions.actions),
      ...Object.values(machineButtons),
    ],
    logger,
  });

  const engine = createEngine({
    database,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: [discord],
    sources: configuredSources(environment),
    actions: [createTicketAction({ tickets })],
    encryptionKey: environment.ENCRYPTION_KEY,
    logger,
  });

  const messages = discordDestination({
    botToken: environment.DISCORD_BOT_TOKEN,
    restBaseUrl: environment.DISCORD_API_BASE_URL,
    componentSecret: environment.COMPONENT_SECRET,
    templates: discordTemplates({ machine: machineButtons, ticket: ticketActions.actions }),
  });
  const slack = slackDestination({
    templates: slackTemplates(),
    ...(environment.SLACK_BOT_TOKEN ? { botToken: environment.SLACK_BOT_TOKEN } : {}),
  });
  const own = [messages, slack, coldConnect.destination, coldConnect.mailDestination];
  for (const destination of [...own, ...discord.destinations, ...engine.automations.destinations]) {
    dispatcher.use(destination);
  }

  const registration = createCommandRegistration({
    register: () => discord.registerCommands({ guildId: environment.DISCORD_GUILD_ID }),
    logger,
  });

  const upkeep = createUpkeep({ engine, logger });

  const app = createApp(engine, {
    info: { title: "Hookline reference app" },
    trustProxy: environment.TRUST_PROXY,
    // A loop that stopped working must not go on taking requests whose deliveries nobody makes.
    readiness: { dispatcher: async () => (await dispatcher.health()).status === "working" },
    metrics: { open: environment.METRICS_OPEN, gauges: queueGauges(dispatcher) },
    routes: [
      coldConnect.routes,
      webhookRoutes(dispatcher, { authenticate: tenantOf(engine), destinations: [slack.id] }),
      createTicketRoutes({ engine, tickets, conversations: createConversations(store) }),
      createAiRoutes({ engine, aiResponses: createAiResponses(store) }),
      createMachineRoutes({ engine, machines }),
      createInventoryRoutes({ engine, inventory: createInventory(store) }),
      createAccountRoutes({ engine, accounts: createAccounts(store) }),
      ...(localMailer ? [createMailRoutes({ engine, mailer: localMailer })] : []),
    ],
  });

  return {
    app,

    /** Makes the tables, the API key and the channel subscriptions, and begins to deliver. */
    async start() {
      await dispatcher.migrate();
      await engine.migrate();
      await migrate(database, { schema: DESK_SCHEMA, component: "desk", migrations: deskMigrations });
      await engine.apiKeys.ensure({
        tenantId,
        name: "environment",
        key: environment.API_KEY,
        scopes: ["read", "write", "admin"],
      });
      await ensureSupportAutomation(engine, tenantId);
      await subscribeChannels({ dispatcher, tenantId, destination: messages.id, channels });
      await dispatcher.start();
      registration.start();
      upkeep.start();
    },

    /** Finishes what was accepted, then lets go of the database. */
    async stop() {
      await registration.stop();
      await upkeep.stop();
      await engine.close();
      await dispatcher.stop();
      closeMailer();
      await database.close();
    },
  };
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
function ticketIntake(options: { environment: Environment; tickets: Tickets; outbox: Outbox; logger: Logger }) {
  const { ERXES_WEBHOOK_URL: url, ERXES_BEARER_TOKEN: bearerToken, ERXES_HMAC_SECRET: secret } = options.environment;
  if (url === undefined || bearerToken === undefined || secret === undefined) return deskIntake(options.tickets);
  return erxesIntake({ url, bearerToken, secret, outbox: options.outbox, logger: options.logger });
}
