import type {
  AcceptOptions,
  Action,
  Clock,
  Connector,
  EventLog,
  IngestInput,
  IngestOptions,
  IngestResult,
  Logger,
  Outbox,
} from "@hookline/core";
import { createColumnCipher, type Database, migrate } from "@hookline/postgres";
import { createAcceptOnce } from "./access/accept-once.js";
import { type ApiKeys, createApiKeys, type Principal } from "./access/api-keys.js";
import { type Audit, createAudit } from "./access/audit.js";
import { bearerOf } from "./access/bearer.js";
import { createNotices, type Notices } from "./access/rotation-notices.js";
import { secretsOfSource } from "./access/secret-ages.js";
import { type AccountTokens, createAccountTokens, reencryptAccountTokens } from "./account-tokens/account-tokens.js";
import { type Automations, createAutomations } from "./automations/automations.js";
import { createCausation } from "./automations/causation.js";
import { type Contacts, createContacts } from "./contacts/contacts.js";
import type { PersonalDataHolder } from "./contacts/personal-data-holder.js";
import type { Credentials } from "./credentials/derived-credential.js";
import { reencryptCredentials } from "./credentials/reencrypt.js";
import { DEFAULTS } from "./defaults.js";
import { EngineError } from "./errors.js";
import { BUILT_IN_IDENTITY_KINDS, checkIdentityKind } from "./identity/identity.js";
import { createLinkContact, type LinkContact } from "./identity/link-contact.js";
import { ingestAll } from "./ingest/ingest.js";
import { createInstallations, type Installations } from "./installations/installations.js";
import type { EngineSource } from "./sources/check-source.js";
import { createSourceIntake, type SourceIntake, type Sources, sourcesOf } from "./sources/sources.js";
import { MIGRATIONS } from "./storage/migrations.js";
import { type EngineRedis, openStore, type Store } from "./storage/store.js";

export interface EngineOptions {
  readonly database: Database;
  /** Postgres schema of the tables; `hookline` when absent. */
  readonly schema?: string;
  /** Takes the events: the dispatcher. */
  readonly outbox: Outbox;
  /** Answers for the events: the dispatcher too. */
  readonly eventLog: EventLog;
  readonly connectors?: readonly Connector[];
  /** Webhooks that come in: `defineSource` of `@hookline/core`. `createApp` mounts them at their paths. */
  readonly sources?: readonly EngineSource[];
  /** What steps of automations can do beside the built-in actions: `defineAction` of `@hookline/core`. */
  // biome-ignore lint/suspicious/noExplicitAny: each action knows the input of its own schema
  readonly actions?: readonly Action<any>[];
  /**
   * Ids of destinations to which automations may send by `message.send`, with a target of their author's choice; none
   * when absent. Each has to refuse the targets of other tenants itself. Those for the app's own work, such as
   * cold-connect's, don't belong here.
   */
  readonly messageDestinations?: readonly string[];
  /** 32 bytes in base64, or several, newest first. Encrypts credentials. */
  readonly encryptionKey: string | readonly string[];
  /**
   * Counts rate limits and remembers what `acceptOnce` has seen, for all processes: an ioredis client of yours. The
   * database does both where it is absent. A client that is away has everything refused that needs it.
   */
  readonly redis?: EngineRedis;
  /** Parts of the app that keep data about people in tables of their own: an export shows it, an erasure takes it out. */
  readonly personalData?: readonly PersonalDataHolder[];
  /** From which age API keys and credentials are due for rotation; 90 when absent. */
  readonly secretMaxAgeDays?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface Health {
  readonly status: "ok" | "failing";
  readonly checks: { readonly database: { readonly status: "ok" | "failing"; readonly durationMs: number } };
}

export interface Engine {
  /** Makes or changes the tables; answers the ids of the migrations that ran. Safe to call from several processes. */
  migrate(): Promise<readonly string[]>;
  /**
   * Resolves contacts and stores events, one result for each input, in order. An element that is refused harms no
   * neighbour; contact, event and deliveries of an element exist together or not at all.
   *
   * Rejections: `invalid_event`, `invalid_identity`, `invalid_email`, `invalid_properties`, `idempotency_key_reused`.
   * A database that fails is thrown, and so is what `before` throws; calling again with the same elements is safe.
   */
  ingest(inputs: readonly IngestInput[], options?: IngestOptions): Promise<readonly IngestResult[]>;
  readonly contacts: Contacts;
  readonly identity: { readonly linkContact: LinkContact };
  readonly apiKeys: ApiKeys;
  /** Who did what to keys, credentials and contacts. */
  readonly audit: Audit;
  /** Which secrets are due for rotation. */
  readonly notices: Notices;
  /** Sources that tenants make; what came in through any source, and what was refused. */
  readonly sources: Sources;
  /** Trigger → condition → steps. Their runs are deliveries: give `automations.destinations` to the dispatcher. */
  readonly automations: Automations;
  /** The principal of the request's `Authorization: Bearer` key; null when it is missing, unknown or revoked. */
  authenticate(request: Request): Promise<Principal | null>;
  /** True the first time that a key is seen within its time; shared by all processes on the database. */
  acceptOnce(key: string, ttlSeconds: number, options?: AcceptOptions): Promise<boolean>;
  /** Tokens by which connectors act for people. */
  readonly accountTokens: AccountTokens;
  /** Which Discord server, or other place of a connector, is whose. */
  readonly installations: Installations;
  /** What `saveDerivedCredential` and `getDerivedCredential` take. */
  readonly credentials: Credentials;
  /** Never throws. */
  health(): Promise<Health>;
  /** Refuses new work with `closed` and waits for what was accepted. The database stays open: it is the caller's. */
  close(): Promise<void>;
  /** What `createApp` reads. */
  readonly parts: EngineParts;
}

export interface EngineParts {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly eventLog: EventLog;
  readonly connectors: readonly Connector[];
  readonly sources: SourceIntake;
}

/**
 * Contacts and identity, ingest, API keys and credentials over one database.
 *
 * @throws EngineError `invalid_options`; DatabaseError `invalid_key` for a malformed encryption key
 * @example
 * const engine = createEngine({ database, outbox: dispatcher, eventLog: dispatcher.events, encryptionKey });
 * await engine.migrate();
 * await engine.ingest([{ tenantId: "acme", type: "user.signed_up", timestamp: new Date(), idempotencyKey: "signup:42",
 *   identities: [{ kind: "external", value: "42" }, { kind: "email", value: "jo@example.com" }], data: {} }]);
 */
export function createEngine(options: EngineOptions): Engine {
  const store = openStore(options);
  const { outbox, eventLog, connectors = [] } = options;
  const ids = connectors.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) throw new EngineError("invalid_options", "Two connectors have the same id.");

  const identityKinds = new Set<string>([
    ...BUILT_IN_IDENTITY_KINDS,
    ...connectors.flatMap((connector) => connector.identityKinds).map(checkIdentityKind),
  ]);
  const mergedProperties = new Set(connectors.flatMap((connector) => connector.mergedProperties));
  const rules = { identityKinds, mergedProperties };
  const keys = typeof options.encryptionKey === "string" ? [options.encryptionKey] : [...options.encryptionKey];
  const stored = { store, cipher: createColumnCipher({ keys }) };
  const credentials: Credentials = {
    ...stored,
    reencrypt: (reencryptOptions) =>
      work.track(async () => {
        const credentials = await reencryptCredentials(stored, reencryptOptions);
        const tokens = await reencryptAccountTokens(stored);
        return {
          reencrypted: credentials.reencrypted + tokens.reencrypted,
          unreadable: credentials.unreadable + tokens.unreadable,
        };
      }),
  };
  const apiKeys = createApiKeys(store);
  const linkContact = createLinkContact({ store, ...rules });
  const work = createWorkTracker();
  const causation = createCausation(store, outbox);
  const sources = createSourceIntake({
    ...stored,
    outbox: causation.outbox,
    causation,
    ...rules,
    sources: options.sources ?? [],
    track: work.track,
  });

  return {
    migrate: () =>
      migrate(store.database, {
        schema: store.schema,
        component: "engine",
        migrations: MIGRATIONS,
        logger: store.logger,
      }),
    ingest: (inputs, ingestOptions) =>
      work.track(() => ingestAll({ store, outbox, ...rules, ...ingestOptions }, inputs)),
    contacts: createContacts({
      store,
      outbox,
      eventLog,
      connectors,
      identityKinds,
      holders: options.personalData ?? [],
    }),
    identity: { linkContact: (input, linkOptions) => work.track(() => linkContact(input, linkOptions)) },
    apiKeys,
    audit: createAudit(store),
    notices: createNotices({
      ...stored,
      outbox,
      maxAgeDays: options.secretMaxAgeDays,
      configured: (options.sources ?? []).flatMap((source) =>
        secretsOfSource({ ...source, tenantId: source.tenantId ?? DEFAULTS.tenantId }),
      ),
    }),
    sources: sourcesOf(sources),
    automations: createAutomations({
      store,
      causation,
      actions: options.actions ?? [],
      messageDestinations: options.messageDestinations ?? [],
    }),
    async authenticate(request) {
      const key = bearerOf(request);
      return key === null ? null : apiKeys.authenticate(key);
    },
    acceptOnce: createAcceptOnce(store, options.redis ?? null),
    accountTokens: createAccountTokens(stored),
    installations: createInstallations(store),
    credentials,
    health: () => checkHealth(store),
    close: () => work.finish(),
    parts: { store, outbox, eventLog, connectors, sources },
  };
}

function createWorkTracker() {
  const running = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async track<T>(work: () => Promise<T>): Promise<T> {
      if (closed) throw new EngineError("closed", "The engine is closed.");
      const promise = work();
      running.add(promise);
      try {
        return await promise;
      } finally {
        running.delete(promise);
      }
    },
    async finish(): Promise<void> {
      closed = true;
      await Promise.allSettled(running);
    },
  };
}

async function checkHealth({ database, schema, logger }: Store): Promise<Health> {
  const startedMs = performance.now();
  let status: Health["status"] = "ok";
  try {
    await database.query(`select 1 from "${schema}".contacts limit 1`);
  } catch (error) {
    logger.error({ err: error }, "the database does not answer, or the engine's migrations have not run");
    status = "failing";
  }
  return { status, checks: { database: { status, durationMs: Math.round(performance.now() - startedMs) } } };
}
