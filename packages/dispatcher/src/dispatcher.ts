import type { Destination, EventDefinition, Outbox, OutboxOptions, Published, PublishOutcome } from "@hookline/core";
import { type DatabaseTransaction, migrate } from "@hookline/postgres";
import { createAddressGuard } from "./address-guard.js";
import { createBacklogWatch } from "./backlog-watch.js";
import { createDeliveries, type Deliveries } from "./deliveries.js";
import { endpointNoticeDestination } from "./destinations/endpoint-notice.js";
import { createDestinationRegistry } from "./destinations/registry.js";
import { createEndpointCache } from "./endpoint-cache.js";
import { createEndpointCodec } from "./endpoint-codec.js";
import { createEndpointTest } from "./endpoint-test.js";
import { createEndpointVerification } from "./endpoint-verification.js";
import { createEndpoints, type Endpoints } from "./endpoints.js";
import { DispatcherError } from "./errors.js";
import { createEventCatalogue } from "./event-catalogue.js";
import { createEventLog, type DispatcherEvents } from "./event-log.js";
import { createEventTypes, type EventTypes } from "./event-type-list.js";
import { type DispatcherHealth, MAX_COUNTED, type QueueHealth } from "./health.js";
import { createHeldDeliveries } from "./held-deliveries.js";
import { createHookCalls } from "./hooks.js";
import { migrations } from "./migrations/index.js";
import { createOperationalLog } from "./operational-log.js";
import { type DispatcherOptions, resolveOptions } from "./options.js";
import { createPublisher } from "./publisher.js";
import { createRecoveries, type Recoveries } from "./recoveries.js";
import type { Recovery, RecoveryInput } from "./recovery.js";
import { createRetention } from "./retention.js";
import { isoTime } from "./sql/columns.js";
import { createStatements } from "./sql/statements.js";
import { watchStalls } from "./stall-watch.js";
import { createTraces } from "./traces.js";
import type { EventData, TypedEvent, TypedEvents } from "./typed-event.js";
import { startUpkeep, type Upkeep } from "./upkeep.js";
import { startWorker, type Worker } from "./worker.js";

/** Durable outbound delivery on one Postgres. Implements core's `Outbox`; `events` implements core's `EventLog`. */
export interface Dispatcher extends Outbox {
  /** Makes or updates the tables. Safe to call from several processes at once. */
  migrate(): Promise<void>;
  /** Starts delivering in this process. Without it, events are stored and other processes deliver them. */
  start(): Promise<void>;
  /** Claims no more, lets attempts in flight end within `stopTimeoutMs`, gives the rest back. The database stays open. */
  stop(): Promise<void>;
  /** Looks at the queue now: after the commit of a transaction that is not ours. */
  handOver(): void;
  /** Registers a destination. */
  use(destination: Destination): void;
  /** A transaction of the dispatcher's database; pass it on to `publish`, `publishMany` and `send`. */
  transaction<T>(fn: (transaction: DatabaseTransaction) => Promise<T>): Promise<T>;
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly events: DispatcherEvents;
  /**
   * Starts a task that puts an endpoint's deliveries of a time back in the queue, by default those that are dead. It has
   * no limit, and goes on in any worker, also after a crash; none of them is put back twice by one task.
   *
   * @throws DispatcherError `endpoint_not_found`, `endpoint_disabled`, `invalid_query`
   */
  recover(input: RecoveryInput): Promise<Recovery>;
  readonly recoveries: Recoveries;
  /** The event catalogue, with JSON Schema and examples. */
  readonly eventTypes: EventTypes;
  health(): Promise<DispatcherHealth>;
}

/** A dispatcher with a catalogue: the compiler checks the data of its types as well. */
export interface TypedDispatcher<Catalogue> extends Dispatcher {
  /** As the outbox of core has it; a type that the catalogue does not have takes any data. */
  publish<Type extends string>(event: TypedEvent<Catalogue, Type>, options?: OutboxOptions): Promise<Published>;
  publishMany<const Types extends readonly string[]>(
    events: TypedEvents<Catalogue, Types>,
    options?: OutboxOptions,
  ): Promise<readonly Published[]>;
  publishEach<const Types extends readonly string[]>(
    events: TypedEvents<Catalogue, Types>,
    options?: OutboxOptions,
  ): Promise<readonly PublishOutcome[]>;
}

const UNCOMMON_ISOLATION =
  "the role's default_transaction_isolation is not read committed: statements that meet fail with 40001, publications among them";

/** How soon a worker finds a recovery that another process has started, or left behind. */
const RESUME_MS = 5_000;
/** How often a worker looks for what is older than `retention` says. */
const RETENTION_MS = 10 * 60_000;
/** How often a worker counts what waits for endpoints. */
const BACKLOG_MS = 30_000;

/**
 * Makes a dispatcher on a database that the caller opened, and closes after `stop`.
 *
 * An event that is committed is delivered at least once to each endpoint that matched when it was published; one that
 * is rolled back never. Duplicates come only of a crash between sending and recording, or of a lease that ran out.
 *
 * @throws DispatcherError `invalid_options`
 *
 * @example
 * const dispatcher = createDispatcher({ database, encryptionKey });
 * await dispatcher.migrate();
 * await dispatcher.start();
 * await dispatcher.endpoints.create({ tenantId: "acme", target: { url }, events: ["ticket.*"] });
 * await dispatcher.publish({ tenantId: "acme", type: "ticket.created", data: { number: 1 } });
 */
export function createDispatcher<const Events extends readonly EventDefinition[] = readonly EventDefinition[]>(
  options: DispatcherOptions<Events>,
): TypedDispatcher<EventData<Events>> {
  const settings = resolveOptions(options);
  const { database, clock } = settings;
  const statements = createStatements(settings.schema);
  const codec = createEndpointCodec(settings.cipher, clock);
  const notices = settings.mailer === null ? [] : [endpointNoticeDestination(settings.mailer) as Destination];
  const { addressGuard } = settings;
  const guard = createAddressGuard(addressGuard);
  const registry = createDestinationRegistry([...settings.destinations, ...notices], { addressGuard, guard });
  const cache = createEndpointCache({ query: database.query, statements, codec });
  const channel = `${settings.schema}_deliveries`;
  const hooks = createHookCalls(settings.hooks, settings.logger);
  const log = createOperationalLog({ statements, channel });
  let worker: Worker | null = null;
  let upkeep: Upkeep | null = null;
  let stalls: { stop(): void } | null = null;
  let starting: Promise<Worker> | null = null;
  let stopping: Promise<void> | null = null;

  const wake = (): void => worker?.wake();
  const traces = createTraces({
    provider: settings.telemetry.tracerProvider ?? null,
    propagatesToReceivers: settings.telemetry.propagatesToReceivers ?? false,
  });
  const publisher = createPublisher({
    settings,
    database,
    statements,
    registry,
    catalogue: createEventCatalogue(settings.events),
    codec,
    channel,
    traces,
    worker: () => worker,
  });
  const held = createHeldDeliveries({ settings, query: database.query, statements, worker: () => worker });
  const endpoints = createEndpoints({ settings, query: database.query, statements, registry, cache, codec, held });

  const recoveries = createRecoveries({
    settings,
    database,
    statements,
    wake,
    onStarted: () => upkeep?.wake(),
  });

  const assertMigrated = async (): Promise<void> => {
    const [found] = await statements.findQueue(database.query);
    if (found === undefined) {
      const message = `The schema "${settings.schema}" has no tables of the dispatcher's yet: await migrate() before start().`;
      throw new DispatcherError("not_migrated", message);
    }
    const { isolation } = found;
    if (isolation !== "read committed") settings.logger.warn({ isolation }, UNCOMMON_ISOLATION);
  };

  const stopWorker = async (): Promise<void> => {
    const started = await starting;
    if (started === null) return;
    worker = null;
    stalls?.stop();
    const ended = upkeep?.stop(settings.stopTimeoutMs);
    await Promise.all([ended, started.stop(Promise.resolve(ended))]);
    upkeep = null;
    starting = null;
  };

  const countQueue = async (): Promise<QueueHealth | null> => {
    const nowMs = clock.now();
    const [counts] = await statements.countQueue(database.query, isoTime(nowMs), MAX_COUNTED);
    if (counts === undefined) return null;
    const { due, waiting_outside: held, oldest_due_at: oldestDueAt } = counts;
    return { due, held, oldestDueAt, oldestDueAgeMs: oldestDueAt === null ? null : nowMs - oldestDueAt.getTime() };
  };

  /** A database that hangs must not make the question hang: then the answer is that it does not answer. */
  const queueHealth = (): Promise<QueueHealth | null> =>
    new Promise((resolve) => {
      const cancel = clock.setTimer(() => resolve(null), HEALTH_LIMIT_MS);
      countQueue()
        .then(resolve, (error: unknown) => {
          settings.logger.error({ err: error }, "the queue could not be counted");
          resolve(null);
        })
        .finally(cancel);
    });

  return {
    ...publisher,
    subscribe: endpoints.subscribe,
    unsubscribe: endpoints.unsubscribe,
    endpoints: {
      create: endpoints.create,
      get: endpoints.get,
      list: endpoints.list,
      update: endpoints.update,
      delete: endpoints.delete,
      rotateSecret: endpoints.rotateSecret,
      reencrypt: endpoints.reencrypt,
      enable: endpoints.enable,
      disable: endpoints.disable,
      test: createEndpointTest({ settings, query: database.query, statements, registry, codec, guard }),
      verify: createEndpointVerification({
        settings,
        query: database.query,
        statements,
        codec,
        guard,
        cache,
        held,
      }),
    },
    deliveries: createDeliveries({ query: database.query, statements, clock, wake }),
    events: createEventLog({ database, statements, clock, channel }),
    eventTypes: createEventTypes(settings.events, settings.logger),
    recover: recoveries.recover,
    recoveries: { get: recoveries.get, list: recoveries.list, cancel: recoveries.cancel },

    async migrate() {
      await migrate(database, {
        schema: settings.schema,
        component: "dispatcher",
        migrations,
        logger: settings.logger,
      });
    },

    async start() {
      if (starting !== null) throw new DispatcherError("already_started", "The dispatcher was started already.");
      starting = assertMigrated().then(() =>
        startWorker({
          settings,
          database,
          statements,
          registry,
          endpoints: cache,
          codec,
          guard,
          channel,
          hooks,
          log,
          traces,
          queueHealth,
        }),
      );
      try {
        worker = await starting;
        stalls = watchStalls({ clock, logger: settings.logger, worker });
        const retention = createRetention({ settings, database, statements });
        const backlogs = createBacklogWatch({ settings, database, statements, log, hooks });
        const tasks = [
          { what: "a recovery", everyMs: RESUME_MS, step: recoveries.step },
          { what: "the removal of what is old", everyMs: RETENTION_MS, step: retention.step },
          { what: "the look at backlogs", everyMs: BACKLOG_MS, step: backlogs.step },
        ];
        upkeep = startUpkeep({ clock, logger: settings.logger, tasks });
      } catch (error) {
        starting = null;
        throw error;
      }
    },

    async stop() {
      stopping ??= stopWorker().finally(() => {
        stopping = null;
      });
      await stopping;
    },

    handOver: wake,
    use: registry.add,
    transaction: (fn) => database.transaction(fn),

    async health() {
      const current = worker;
      const isStalled = current?.isStalled ?? false;
      return {
        status: current === null ? "stopped" : isStalled ? "stalled" : "working",
        inFlight: current?.inFlight ?? 0,
        waiting: current?.waiting ?? 0,
        lastReadAt: current === null ? null : new Date(current.lastReadAtMs),
        queue: await queueHealth(),
      };
    },
  };
}

/** How long `health` waits for the database. */
const HEALTH_LIMIT_MS = 1_000;
