import { newId, type Transaction } from "@hookline/core";
import type { ColumnCipher } from "@hookline/postgres";
import { writeAudit } from "../access/audit.js";
import { DEFAULTS } from "../defaults.js";
import { EngineError, isEngineError } from "../errors.js";
import { isUniqueViolation } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import type { CheckedSource } from "./check-source.js";
import { checkStoredSource } from "./check-stored-source.js";
import {
  checkSourceSecrets,
  decryptSecrets,
  encryptSecrets,
  generateSourceSecret,
  type KeptSecrets,
  keepSecrets,
  rotateSecrets,
  type SourceKey,
  type SourceSecrets,
} from "./source-secrets.js";
import {
  checkDefinition,
  checkEndpoint,
  invalidSource,
  type SourceChanges,
  type SourceDefinition,
  type StoredSource,
} from "./stored-source.js";
import { createStoredSourceRows, eventTypeOf, pathOf, type StoredSourceQuery } from "./stored-source-rows.js";

/** Sources that tenants make at run time. `createApp` takes their requests at `/automation/<id>/<endpoint>`. */
export interface StoredSources {
  /**
   * Makes a source, active at once. Its secrets are answered here and nowhere else: they are stored encrypted.
   *
   * @throws EngineError `invalid_source`, `name_taken`
   */
  create(source: NewStoredSource): Promise<StoredSource & SourceSecrets>;
  get(source: SourceKey): Promise<StoredSource | null>;
  /** Newest first. @throws EngineError `invalid_cursor` */
  list(query: StoredSourceQuery): Promise<StoredSourcePage>;
  /** @throws EngineError `source_not_found`, `invalid_source` */
  update(source: SourceReference, changes: SourceChanges): Promise<StoredSource>;
  /** Executions and refusals are kept for their time. False when there was none. */
  delete(source: SourceReference): Promise<boolean>;
  /** Takes requests again. @throws EngineError `source_not_found` */
  activate(source: SourceReference): Promise<StoredSource>;
  /** Answers every request with 404 from now on. @throws EngineError `source_not_found` */
  deactivate(source: SourceReference): Promise<StoredSource>;
  /**
   * Makes new secrets, which are answered here and nowhere else; the old ones fit beside them until the overlap ends.
   *
   * @throws EngineError `source_not_found`, `invalid_source`, `too_many_secrets`
   */
  rotateSecrets(source: SourceReference & SecretRotation): Promise<RotatedSource>;
}

export interface SourceReference extends SourceKey {
  /** Who does it, for the audit log. */
  readonly actor?: string;
}

export interface NewStoredSource extends Partial<Omit<SourceDefinition, "bearer" | "signature">> {
  readonly tenantId: string;
  /** Letters, digits, `_` and `-`; unique in its tenant, and never changed. */
  readonly endpoint: string;
  /** One of your own, at least 16 characters; made when absent; `null`: callers need none. */
  readonly bearerToken?: string | null;
  /** One of your own, at least 16 characters; made when absent; `null`: callers need not sign. */
  readonly secret?: string | null;
  /** Takes requests from anybody: both of the above are `null`. */
  readonly open?: boolean;
  /** Who makes it, for the audit log. */
  readonly actor?: string;
}

export interface StoredSourcePage {
  readonly sources: readonly StoredSource[];
  readonly nextCursor: string | null;
}

export interface SecretRotation {
  /** How long the old ones go on fitting; a day when absent, 30 days at most, 0 ends them at once. */
  readonly overlapSeconds?: number;
  /** One of your own; made when absent, where the source asks for one. */
  readonly bearerToken?: string;
  /** One of your own; made when absent, where the source asks for one. */
  readonly secret?: string;
}

export interface RotatedSource extends StoredSource, SourceSecrets {
  /** ISO 8601. */
  readonly overlapEndsAt: string;
}

export interface StoredSourceService extends StoredSources {
  /** The source at a path, as its requests are checked right now; null when there is none. */
  find(path: Pick<StoredSource, "id" | "endpoint">): Promise<CheckedSource | null>;
  /** Whose the source of this id is, whatever endpoint is asked for; null when there is none. */
  ownerOf(id: string): Promise<SourceKey | null>;
}

export function createStoredSources({
  store,
  cipher,
}: {
  readonly store: Store;
  readonly cipher: ColumnCipher;
}): StoredSourceService {
  const { database, clock, logger } = store;
  const rows = createStoredSourceRows(store);
  const now = () => new Date(clock.now());
  const audit = (tx: Transaction, { tenantId, id, endpoint }: StoredSource, act: Act) =>
    writeAudit(store, tx, [
      {
        tenantId,
        action: act.action,
        target: id,
        details: { endpoint },
        ...(act.actor === undefined ? {} : { actor: act.actor }),
      },
    ]);

  /** Changes one source under its lock, with an entry in the audit log. */
  const change = <Changed extends Change>(
    { tenantId, id, actor }: SourceReference,
    action: string,
    changed: (before: { source: StoredSource; secrets: string }) => Changed,
  ): Promise<Changed> =>
    database.transaction(async (tx) => {
      const before = await rows.lock(tx.query, { tenantId, id });
      if (before === null) throw new EngineError("source_not_found", `There is no source "${id}".`);
      const after = changed(before);
      await rows.update(tx.query, after);
      await audit(tx, after.source, { action, actor });
      return after;
    });

  const setActive = async (reference: SourceReference, active: boolean): Promise<StoredSource> => {
    const after = await change(reference, active ? "source.activated" : "source.deactivated", (before) => ({
      ...before,
      source: { ...before.source, active, updatedAt: now().toISOString() },
    }));
    return after.source;
  };

  /** With no key for what is stored, callers are locked out already: then there is nothing to overlap with. */
  const readKept = (key: SourceKey, text: string): KeptSecrets => {
    try {
      return decryptSecrets(cipher, key, text);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      logger.warn({ err: error, sourceId: key.id }, "the secrets of a source are replaced without an overlap");
      return { bearerTokens: [], secrets: [] };
    }
  };

  return {
    async create({ tenantId, endpoint, bearerToken, secret, open = false, actor, ...given }) {
      const secrets: SourceSecrets = {
        bearerToken: bearerToken === undefined ? generateSourceSecret() : bearerToken,
        secret: secret === undefined ? generateSourceSecret() : secret,
      };
      const signature = secrets.secret !== null;
      const isOpen = secrets.bearerToken === null && !signature;
      if (isOpen && !open) throw invalidSource(["it needs a bearer token or a secret, or says open: true"]);
      if (open && !isOpen) throw invalidSource(["open: true contradicts its bearer token or its secret"]);
      const definition = checkDefinition({
        description: given.description ?? null,
        method: given.method ?? "POST",
        fields: given.fields ?? [],
        bearer: secrets.bearerToken !== null,
        signature,
        allowedAddresses: given.allowedAddresses ?? [],
        preventReplay: given.preventReplay ?? signature,
        requestsPerMinute: given.requestsPerMinute ?? DEFAULTS.source.rateLimit.max,
        maxBodyBytes: given.maxBodyBytes ?? DEFAULTS.source.maxBodyBytes,
      });
      checkSourceSecrets(secrets);
      const at = now().toISOString();
      const id = newId("src", clock.now());
      const source: StoredSource = {
        id,
        tenantId,
        endpoint: checkEndpoint(endpoint),
        path: pathOf({ id, endpoint }),
        eventType: eventTypeOf(endpoint),
        active: true,
        ...definition,
        rotatedAt: isOpen ? null : at,
        createdAt: at,
        updatedAt: at,
      };
      const encrypted = encryptSecrets(cipher, source, keepSecrets(secrets));
      try {
        await database.transaction(async (tx) => {
          await rows.insert(tx.query, { source, secrets: encrypted });
          await audit(tx, source, { action: "source.created", actor });
        });
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw cause;
        throw new EngineError("name_taken", `The tenant has a source "${endpoint}".`, { cause });
      }
      return { ...source, ...secrets };
    },

    get: async (key) => (await rows.get(database.query, key))?.source ?? null,
    list: (query) => rows.list(database.query, query),

    async update(reference, changes) {
      const after = await change(reference, "source.changed", ({ source, secrets }) => {
        const definition = checkDefinition({ ...source, ...changes });
        return { source: { ...source, ...definition, updatedAt: now().toISOString() }, secrets };
      });
      return after.source;
    },

    delete: ({ tenantId, id, actor }) =>
      database.transaction(async (tx) => {
        const before = await rows.lock(tx.query, { tenantId, id });
        if (before === null) return false;
        await audit(tx, before.source, { action: "source.deleted", actor });
        return rows.delete(tx.query, { tenantId, id });
      }),

    activate: (reference) => setActive(reference, true),
    deactivate: (reference) => setActive(reference, false),

    async rotateSecrets({ overlapSeconds = DEFAULTS.keyOverlapSeconds, bearerToken, secret, ...reference }) {
      if (!(overlapSeconds >= 0 && overlapSeconds <= DEFAULTS.maxKeyOverlapSeconds)) {
        throw invalidSource([`overlapSeconds: 0 to ${DEFAULTS.maxKeyOverlapSeconds}`]);
      }
      const at = now();
      const endsAt = new Date(at.getTime() + overlapSeconds * 1000);
      const { next, source } = await change(reference, "source.secrets_rotated", (before) => {
        const made = nextSecrets(before.source, { bearerToken, secret });
        checkSourceSecrets(made);
        const kept = rotateSecrets(readKept(before.source, before.secrets), made, { now: at, endsAt });
        const rotated = { ...before.source, rotatedAt: at.toISOString(), updatedAt: at.toISOString() };
        return { source: rotated, secrets: encryptSecrets(cipher, rotated, kept), next: made };
      });
      return { ...source, ...next, overlapEndsAt: endsAt.toISOString() };
    },

    ownerOf: (id) => rows.ownerOf(database.query, id),

    async find(path) {
      const found = await rows.find(database.query, path);
      if (found === null) return null;
      return checkStoredSource(found.source, decryptSecrets(cipher, found.source, found.secrets), now());
    },
  };
}

interface Act {
  readonly action: string;
  readonly actor: string | undefined;
}

interface Change {
  readonly source: StoredSource;
  readonly secrets: string;
}

/** One for each that the source asks for. */
function nextSecrets(
  { bearer, signature }: StoredSource,
  given: { readonly bearerToken: string | undefined; readonly secret: string | undefined },
): SourceSecrets {
  const none = [
    ...(!bearer && given.bearerToken !== undefined ? ["bearerToken: this source asks for none"] : []),
    ...(!signature && given.secret !== undefined ? ["secret: this source asks for none"] : []),
    ...(!bearer && !signature ? ["it is open: there is nothing to rotate"] : []),
  ];
  if (none.length > 0) throw invalidSource(none);
  return {
    bearerToken: bearer ? (given.bearerToken ?? generateSourceSecret()) : null,
    secret: signature ? (given.secret ?? generateSourceSecret()) : null,
  };
}
