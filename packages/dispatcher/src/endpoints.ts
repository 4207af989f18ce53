import { type Clock, newId, type SqlQuery } from "@hookline/core";
import { generateSecret } from "@hookline/webhook-signing";
import type { DestinationRegistry } from "./destinations/registry.js";
import { withKnownKey } from "./destinations/target-tls.js";
import { WEBHOOK_DESTINATION_ID } from "./destinations/webhook.js";
import type { WebhookTarget } from "./destinations/webhook-target.js";
import type {
  Endpoint,
  EndpointChanges,
  EndpointInput,
  RotatedEndpoint,
  SecretRotation,
  TenantScoped,
} from "./endpoint.js";
import type { EndpointCache } from "./endpoint-cache.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import {
  aboutIssues,
  aboutRow,
  changesIssues,
  checkShape,
  contactIssues,
  patternIssues,
  policyIssues,
  refuse,
} from "./endpoint-input.js";
import { changedPolicy, withFields } from "./endpoint-merge.js";
import { type ReencryptedEndpoints, reencryptEndpoints } from "./endpoint-reencryption.js";
import { checkKeptSecret, checkSecret } from "./endpoint-secret.js";
import type { EndpointTest, EndpointTestResult } from "./endpoint-test.js";
import { type EndpointVerification, UNVERIFIED } from "./endpoint-verification.js";
import { DispatcherError } from "./errors.js";
import { keyIssues } from "./event-input.js";
import type { HeldDeliveries } from "./held-deliveries.js";
import type { Settings } from "./options.js";
import { pageLimit, readCursor, toPage } from "./page.js";
import { checkQuery, checkScoped } from "./query-input.js";
import { rotate, signingSecrets } from "./secrets.js";
import { isoTime } from "./sql/columns.js";
import type { EndpointRow } from "./sql/endpoint-row.js";
import type { Statements } from "./sql/statements.js";
import { createSubscriptions, type Subscriptions } from "./subscriptions.js";
import type { FieldsOf } from "./unknown-fields.js";
import { endpointUnreadable } from "./unreadable-target.js";

export interface EndpointQuery {
  readonly tenantId: string;
  /** Only endpoints of this destination. */
  readonly destination?: string;
  /** Only the one of this name. */
  readonly name?: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  readonly cursor?: string;
}

const QUERY_FIELDS: FieldsOf<EndpointQuery> = {
  tenantId: true,
  destination: true,
  name: true,
  limit: true,
  cursor: true,
};

export interface Endpoints {
  /**
   * Makes an endpoint. `secret` is in this answer only; null for destinations that do not sign.
   *
   * @throws DispatcherError `invalid_endpoint`, `address_refused`, `name_taken`, `unknown_destination`
   */
  create(input: EndpointInput): Promise<Endpoint & { readonly secret: string | null }>;
  /** Null when the tenant has no endpoint of that id. */
  get(endpoint: TenantScoped): Promise<Endpoint | null>;
  /** Oldest first. `cursor` is what the previous page answered. */
  list(query: EndpointQuery): Promise<{ readonly endpoints: readonly Endpoint[]; readonly nextCursor: string | null }>;
  /**
   * Changes the fields that are given. Setting `active` has what was held delivered. A target that cannot be decrypted
   * can be replaced as a whole, not in part.
   *
   * @throws DispatcherError `endpoint_not_found`, `invalid_endpoint`, `address_refused`, `name_taken`,
   * `endpoint_unverified`, `endpoint_unreadable`
   */
  update(endpoint: TenantScoped, changes: EndpointChanges): Promise<Endpoint>;
  /**
   * Signs with a new secret from the next attempt on, and beside it with the older ones until the overlap ends (a
   * scheme whose header holds one signature: with the new one alone). `secret` is in this answer only. Secrets that
   * cannot be decrypted can be replaced without an overlap.
   *
   * @throws DispatcherError `endpoint_not_found`, `invalid_endpoint`, `secret_unchanged`, `endpoint_unreadable`
   */
  rotateSecret(rotation: SecretRotation): Promise<RotatedEndpoint>;
  /**
   * Has what was held delivered.
   *
   * @throws DispatcherError `endpoint_not_found`, `endpoint_unverified`
   */
  enable(endpoint: TenantScoped): Promise<Endpoint>;
  /**
   * From now on deliveries are held. One that waits to be verified stays inactive then too.
   *
   * @throws DispatcherError `endpoint_not_found`
   */
  disable(endpoint: TenantScoped): Promise<Endpoint>;
  /**
   * Sends `webhook.test`, or the example of a catalogue type, right now and once: past the queue, to this endpoint
   * alone, also to a disabled one. It is logged as a delivery; neither a 410 nor a state changes the endpoint.
   *
   * @throws DispatcherError `endpoint_not_found`, `invalid_event`, `unknown_destination`, `endpoint_unreadable`
   */
  test(test: EndpointTest): Promise<EndpointTestResult>;
  /**
   * Asks the URL to answer a challenge, right now and once; it is logged as a delivery. Success has an endpoint that
   * waits for it (`verification: "pending"`) active, and what was held delivered; not one that was made inactive.
   *
   * @throws DispatcherError `endpoint_not_found`, `invalid_endpoint`, `endpoint_unreadable`
   */
  verify(endpoint: TenantScoped): Promise<EndpointVerification>;
  /**
   * Encrypts the endpoints of all tenants with the newest key that are not, while they go on to be used. Targets of
   * direct messages stay as they are: those are kept for a time only.
   */
  reencrypt(): Promise<ReencryptedEndpoints>;
  /** True when there was one. What still waits for it ends as dead. */
  delete(endpoint: TenantScoped): Promise<boolean>;
}

export interface EndpointStore extends Omit<Endpoints, "test" | "verify">, Subscriptions {}

export function createEndpoints(options: {
  readonly settings: Settings;
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly cache: EndpointCache;
  readonly codec: EndpointCodec;
  readonly held: HeldDeliveries;
}): EndpointStore {
  const { settings, query, statements, registry, cache, codec, held } = options;
  const { clock } = settings;

  const deleteEndpoint = async (endpoint: TenantScoped): Promise<boolean> => {
    checkScoped(endpoint);
    const deleted = await statements.deleteEndpoint(query, endpoint);
    cache.forget(endpoint.id);
    if (deleted.length > 0) await held.release(endpoint.id);
    return deleted.length > 0;
  };

  /** Encrypted. Refused when the secrets that sign cannot sign for it. */
  const changedTarget = (known: EndpointRow, changes: EndpointChanges): string | null => {
    if (changes.target === undefined && changes.targetChanges === undefined) return null;
    const before = codec.readTarget(known);
    if (before === undefined && changes.targetChanges !== undefined) {
      throw endpointUnreadable("target", "give a whole target, or the key back");
    }
    const changed = changes.targetChanges === undefined ? changes.target : withFields(before, changes.targetChanges);
    const target = registry.parseTarget(known.destination, withKnownKey(changed, before));
    if (registry.signs(known.destination)) {
      // Secrets that cannot be read sign nothing: a rotation is what helps them.
      for (const secret of signingSecrets(codec.readSecrets(known) ?? [], clock.now())) {
        checkKeptSecret(secret, target as WebhookTarget);
      }
    }
    return codec.encryptTarget(known.id, target);
  };

  /** False as well for a URL that cannot be read. */
  const isSameUrl = ({ id, ...known }: EndpointRow, target: string): boolean => {
    const urlOf = (text: string) => (codec.readTarget({ id, target: text }) as WebhookTarget | undefined)?.url;
    return urlOf(known.target) === urlOf(target);
  };

  const update = async (endpoint: TenantScoped, changes: EndpointChanges): Promise<Endpoint> => {
    checkScoped(endpoint);
    checkShape("changes", changes);
    refuse([
      ...(changes.name == null ? [] : keyIssues("name", changes.name)),
      ...(changes.events === undefined ? [] : patternIssues(changes.events)),
      ...(changes.policy === undefined ? [] : policyIssues(changes.policy)),
      ...(changes.policyChanges === undefined ? [] : policyIssues(changes.policyChanges, "policyChanges")),
      ...changesIssues(changes),
      ...(changes.contactAddress == null ? [] : contactIssues(changes.contactAddress)),
      ...aboutIssues(changes),
    ]);
    for (;;) {
      const [known] = await statements.loadEndpoint(query, endpoint.id);
      if (known === undefined || known.tenant_id !== endpoint.tenantId) throw notFound(endpoint.id);
      if (changes.targetChanges !== undefined && known.destination !== WEBHOOK_DESTINATION_ID) {
        refuse([{ path: "targetChanges", message: `is for webhooks: give the target of "${known.destination}"` }]);
      }
      const target = changedTarget(known, changes);
      const unverified = target !== null && known.verification !== null && !isSameUrl(known, target);
      if (changes.active === true && (unverified || known.verification === "pending")) throw notVerified(endpoint.id);
      const [row] = await nameGuarded(
        statements.updateEndpoint(query, endpoint, {
          name: changes.name === null ? "" : (changes.name ?? null),
          destination: null,
          target,
          events: changes.events ?? null,
          policy: changedPolicy(known, changes),
          ...(unverified
            ? ({
                active: false,
                // One that its owner makes inactive stays so when it is verified.
                ...(changes.active === false ? {} : { disabledReason: UNVERIFIED }),
                verification: "pending",
              } as const)
            : { active: changes.active ?? null }),
          contactAddress: changes.contactAddress === null ? "" : (changes.contactAddress ?? null),
          // Then it does not wait for its verification any more.
          ...(changes.active === false ? { insteadOf: UNVERIFIED } : {}),
          ...aboutRow(changes),
          onlyVersion:
            target === null && changes.policyChanges === undefined && changes.active !== true ? null : known.version,
          now: nowOf(clock),
        }),
        changes.name,
      );
      cache.forget(endpoint.id);
      // Somebody else changed the endpoint meanwhile: its secrets may be others.
      if (row === undefined) continue;
      if (changes.active === true) await held.resume(row.id);
      return codec.show(row);
    }
  };

  const rotateSecret = async (rotation: SecretRotation): Promise<RotatedEndpoint> => {
    checkScoped(rotation);
    const overlapMs = rotation.overlapMs ?? SECRET_OVERLAP_MS;
    if (!(overlapMs >= 0 && overlapMs <= MAX_SECRET_OVERLAP_MS)) {
      refuse([{ path: "overlapMs", message: `is a number from 0 to ${MAX_SECRET_OVERLAP_MS}` }]);
    }
    const secret = rotation.secret ?? generateSecret();
    for (;;) {
      const [known] = await statements.loadEndpoint(query, rotation.id);
      if (known === undefined || known.tenant_id !== rotation.tenantId) throw notFound(rotation.id);
      if (!registry.signs(known.destination)) {
        refuse([{ path: "destination", message: `"${known.destination}" does not sign` }]);
      }
      const target = codec.readTarget(known);
      if (target === undefined)
        throw endpointUnreadable("target", "update it with a whole one first, or give the key back");
      const secrets = codec.readSecrets(known) ?? (overlapMs === 0 ? [] : undefined);
      if (secrets === undefined) {
        throw endpointUnreadable("secrets", "rotate with overlapMs 0, which drops them, or give the key back");
      }
      checkSecret(secret, target as WebhookTarget);
      if (secrets[0]?.value === secret) throw secretUnchanged();
      const nowMs = clock.now();
      const overlapEndsAtMs = nowMs + overlapMs;
      const rotated = rotate(secrets, secret, { nowMs, endsAtMs: overlapEndsAtMs });
      if (rotated.length > MAX_SIGNING_SECRETS) {
        refuse([{ path: "overlapMs", message: `would leave more than ${MAX_SIGNING_SECRETS} secrets that sign` }]);
      }
      const [row] = await statements.replaceSecrets(query, known, {
        secrets: codec.encryptSecrets(known.id, rotated),
        now: isoTime(nowMs),
      });
      // Somebody else changed the endpoint meanwhile: rotate what it has now.
      if (row === undefined) continue;
      cache.forget(known.id);
      return { ...codec.show(row), secret, overlapEndsAt: new Date(overlapEndsAtMs) };
    }
  };

  return {
    update,
    rotateSecret,
    enable: (endpoint) => update(endpoint, { active: true }),
    disable: (endpoint) => update(endpoint, { active: false }),

    async create(input) {
      checkShape("input", input);
      const destination = input.destination ?? WEBHOOK_DESTINATION_ID;
      refuse([
        ...keyIssues("tenantId", input.tenantId),
        ...(input.name === undefined ? [] : keyIssues("name", input.name)),
        ...patternIssues(input.events),
        ...(input.policy === undefined ? [] : policyIssues(input.policy)),
        ...(input.contactAddress === undefined ? [] : contactIssues(input.contactAddress)),
        ...aboutIssues(input),
      ]);
      registry.require(destination);
      const signs = registry.signs(destination);
      if (input.verify === true && !signs) refuse([{ path: "verify", message: `cannot be asked of "${destination}"` }]);
      const isPending = signs && (input.verify ?? settings.verifyEndpoints);
      const target = registry.parseTarget(destination, input.target);
      const secret = input.secret ?? (signs ? generateSecret() : null);
      if (secret !== null && signs) checkSecret(secret, target as WebhookTarget);
      const id = newId("ep", clock.now());
      const [row] = await statements.insertEndpoint(
        query,
        {
          id,
          tenantId: input.tenantId,
          name: input.name ?? null,
          destination,
          target: codec.encryptTarget(id, target),
          secrets: codec.encryptSecrets(id, secret === null ? [] : [{ value: secret, madeAtMs: clock.now() }]),
          events: input.events,
          policy: JSON.stringify(input.policy ?? {}),
          active: !isPending && (input.active ?? true),
          contactAddress: input.contactAddress ?? null,
          disabledReason: isPending && input.active !== false ? UNVERIFIED : null,
          verification: isPending ? "pending" : null,
          description: input.description || null,
          metadata: input.metadata === undefined ? null : JSON.stringify(input.metadata),
          condition: input.condition === undefined ? null : JSON.stringify(input.condition),
        },
        nowOf(clock),
      );
      if (row === undefined) throw nameTaken(input.name);
      return { ...codec.show(row), secret };
    },

    async get(endpoint) {
      checkScoped(endpoint);
      const [row] = await statements.loadEndpoint(query, endpoint.id);
      return row === undefined || row.tenant_id !== endpoint.tenantId ? null : codec.show(row);
    },

    async list(asked) {
      checkQuery(asked, QUERY_FIELDS);
      const limit = pageLimit(asked.limit);
      const rows = await statements.listEndpoints(query, {
        tenantId: asked.tenantId,
        name: asked.name ?? null,
        destination: asked.destination ?? null,
        after: asked.cursor === undefined ? null : (readCursor(asked.cursor, ["id"])[0] ?? null),
        limit: limit + 1,
      });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      return { endpoints: page.map(codec.show), nextCursor };
    },

    reencrypt: () => reencryptEndpoints({ query, statements, codec, logger: settings.logger }),

    delete: deleteEndpoint,

    ...createSubscriptions({ ...options, deleteEndpoint }),
  };
}

/** A day: long enough for a receiver to be given the new secret. */
const SECRET_OVERLAP_MS = 24 * 60 * 60 * 1000;
/** A year. */
const MAX_SECRET_OVERLAP_MS = 365 * SECRET_OVERLAP_MS;
/** As many signatures as a receiver can be expected to look at. */
const MAX_SIGNING_SECRETS = 16;

const nowOf = (clock: Clock): string => isoTime(clock.now());

/** Postgres says "unique violation" when a name is taken. */
async function nameGuarded<T>(work: Promise<T>, name: string | null | undefined): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "sqlState" in error && error.sqlState === "23505") throw nameTaken(name, error);
    throw error;
  }
}

function nameTaken(name: string | null | undefined, cause?: unknown): DispatcherError {
  return new DispatcherError("name_taken", `The tenant has an endpoint "${name}" already.`, {
    cause,
    issues: [{ path: "name", message: "is taken" }],
  });
}

function secretUnchanged(): DispatcherError {
  return new DispatcherError("secret_unchanged", "The endpoint signs with this secret already.", {
    issues: [{ path: "secret", message: "is the newest one already" }],
  });
}

function notVerified(id: string): DispatcherError {
  return new DispatcherError("endpoint_unverified", `The URL of the endpoint "${id}" has to be verified first.`);
}

function notFound(id: string): DispatcherError {
  return new DispatcherError("endpoint_not_found", `There is no endpoint "${id}".`);
}
