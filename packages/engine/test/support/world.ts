import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import {
  type Action,
  type Clock,
  type Connector,
  type EventDefinition,
  type Logger,
  type Mailer,
  systemClock,
} from "@hookline/core";
import { createDispatcher, type Dispatcher, type DispatcherOptions } from "@hookline/dispatcher";
import type { Database } from "@hookline/postgres";
import { describeMatrix as describeDatabases, type TestDatabases } from "@hookline/postgres/testing";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import {
  type AnalyticsAdapter,
  type Bound,
  type ColdConnect,
  type ColdConnectOptions,
  createColdConnect,
  createEngine,
  type Engine,
  type EngineRedis,
  type EngineSource,
  type PersonalDataHolder,
  type ThrottleOptions,
} from "../../src/index.js";

export const ENCRYPTION_KEY = randomBytes(32).toString("base64");

export interface World {
  readonly database: Database;
  readonly schema: string;
  readonly dispatcher: Dispatcher;
  readonly engine: Engine;
  readonly coldConnect: ColdConnect;
  readonly coldConnectOptions: ColdConnectOptions;
  /** What `afterBind` was called with. */
  readonly bound: Bound[];
  /** Everything that was logged, as one text. */
  logged(): string;
}

export interface WorldOptions {
  /** Whether the dispatcher delivers. */
  readonly start?: boolean;
  readonly clock?: Clock;
  readonly events?: readonly EventDefinition[];
  readonly connectors?: readonly Connector[];
  readonly sources?: readonly EngineSource[];
  // biome-ignore lint/suspicious/noExplicitAny: each action knows the input of its own schema
  readonly actions?: readonly Action<any>[];
  readonly messageDestinations?: readonly string[];
  readonly personalData?: readonly PersonalDataHolder[];
  readonly throttle?: ThrottleOptions;
  readonly afterBind?: ColdConnectOptions["afterBind"];
  readonly afterUnbind?: ColdConnectOptions["afterUnbind"];
  readonly mailer?: Mailer;
  readonly analytics?: AnalyticsAdapter;
  readonly redis?: EngineRedis;
  readonly addressGuard?: DispatcherOptions["addressGuard"];
}

/** One suite for each database. */
export function describeMatrix(name: string, suite: (databases: TestDatabases) => void): void {
  describe(name, () => {
    describeDatabases({ describe, beforeAll, afterAll }, ["pglite", "postgres"], suite);
  });
}

/** One suite on the embedded database, where another one would show nothing new. */
export function describeEmbedded(name: string, suite: (databases: TestDatabases) => void): void {
  describe(name, () => {
    describeDatabases({ describe, beforeAll, afterAll }, ["pglite"], suite);
  });
}

/** Engine, dispatcher and cold-connect in an empty schema; the dispatcher stops with the test. */
export async function openWorld(databases: TestDatabases, options: WorldOptions = {}): Promise<World> {
  const { database, schema, isNew } = await emptySchema(databases);
  const { clock = systemClock } = options;
  const lines: string[] = [];
  const logger = recordingLogger(lines);
  const dispatcher = createDispatcher({
    database,
    schema,
    encryptionKey: ENCRYPTION_KEY,
    events: options.events ?? [],
    retrySchedule: { delaysMs: [0, 20, 20, 20, 20] },
    pollMs: 50,
    ...(options.addressGuard ? { addressGuard: options.addressGuard } : {}),
    clock,
    logger,
  });
  const bound: Bound[] = [];
  const coldConnectOptions: ColdConnectOptions = {
    database,
    schema,
    outbox: dispatcher,
    connectorId: "discord",
    identityKind: "discord",
    platformKey: (id) => id,
    linkedEvent: "discord.linked",
    identifyPropKey: "discord_id",
    buildIngest: ({ platformUserId }) => ({
      eventProperties: { source: "discord" },
      contactProperties: { discord: { id: platformUserId } },
    }),
    branding: { productName: "Acme", platformName: "Discord", accentColor: "#5865f2" },
    afterBind:
      options.afterBind ??
      (async (one) => {
        bound.push(one);
      }),
    clock,
    logger,
    ...(options.throttle ? { throttle: options.throttle } : {}),
    ...(options.afterUnbind ? { afterUnbind: options.afterUnbind } : {}),
    ...(options.mailer ? { mail: { mailer: options.mailer, apiPublicUrl: "https://api.example.com" } } : {}),
    ...(options.analytics ? { analytics: options.analytics } : {}),
    ...(options.redis ? { redis: options.redis } : {}),
  };
  const coldConnect = createColdConnect(coldConnectOptions);
  dispatcher.use(coldConnect.destination);
  dispatcher.use(coldConnect.unbindDestination);
  dispatcher.use(coldConnect.mailDestination);
  const engine = createEngine({
    database,
    schema,
    outbox: dispatcher,
    eventLog: dispatcher.events,
    connectors: options.connectors ?? [discordConnector()],
    sources: options.sources ?? [],
    actions: options.actions ?? [],
    messageDestinations: options.messageDestinations ?? [],
    personalData: options.personalData ?? [],
    encryptionKey: ENCRYPTION_KEY,
    ...(options.redis ? { redis: options.redis } : {}),
    clock,
    logger,
  });
  for (const destination of engine.automations.destinations) dispatcher.use(destination);
  if (isNew) {
    await dispatcher.migrate();
    await engine.migrate();
  }
  if (options.start) {
    await dispatcher.start();
    onTestFinished(() => dispatcher.stop());
  }
  return {
    database,
    schema,
    dispatcher,
    engine,
    coldConnect,
    coldConnectOptions,
    bound,
    logged: () => lines.join("\n"),
  };
}

/** One schema for each suite, since migrations take longer than most tests; emptied for each test. */
const schemas = new WeakMap<TestDatabases, { database: Database; schema: string }>();

async function emptySchema(databases: TestDatabases) {
  const known = schemas.get(databases);
  if (!known) {
    const { database, schema } = await databases.open();
    schemas.set(databases, { database, schema });
    return { database, schema, isNew: true };
  }
  const { database, schema } = known;
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1 and tablename <> 'migrations'`,
    [schema],
  );
  await database.query(`truncate ${tables.map(({ name }) => name).join(", ")}`);
  return { ...known, isNew: false };
}

/** A connector that declares what Discord's does, and echoes. */
export function discordConnector(over: Partial<Connector> = {}): Connector {
  return {
    id: "discord",
    identityKinds: ["discord"],
    mergedProperties: ["discord"],
    routes: [],
    destinations: [],
    ...over,
  };
}

/** The app on a port of its own, until the test ends. */
export async function listen(app: { fetch: Parameters<typeof serve>[0]["fetch"] }): Promise<string> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  onTestFinished(() => {
    (server as Server).closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A clock that stands still until it is told. */
export function fixedClock(startMs = Date.now()): Clock & { advance(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    setTimer: systemClock.setTimer,
    advance(ms) {
      nowMs += ms;
    },
  };
}

/** Waits for a condition, ten seconds at most. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function counts({ database, schema }: Pick<World, "database" | "schema">) {
  const [row] = await database.query<{ contacts: number; identities: number; aliases: number; events: number }>(
    `select (select count(*) from "${schema}".contacts) as contacts,
            (select count(*) from "${schema}".contact_identities) as identities,
            (select count(*) from "${schema}".contact_aliases) as aliases,
            (select count(*) from "${schema}".events) as events`,
  );
  if (!row) throw new Error("no row");
  return row;
}

/** All of a table as one text. */
export async function tableText(
  { database, schema }: Pick<World, "database" | "schema">,
  table: string,
): Promise<string> {
  const rows = await database.query(`select t::text as row from "${schema}"."${table}" t`);
  return JSON.stringify(rows);
}

function recordingLogger(lines: string[]): Logger {
  const record = (fields: object, message: string) => {
    lines.push(
      `${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? String(value.stack) : value))}`,
    );
  };
  return { debug: record, info: record, warn: record, error: record };
}
