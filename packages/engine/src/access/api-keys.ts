import { createHash, randomBytes } from "node:crypto";
import { newId, type Transaction } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";
import { isCleanText } from "../storage/text.js";
import { type AuditAct, writeAudit } from "./audit.js";

/**
 * `read` allows what changes nothing, `write` the tenant's ordinary work, `admin` keys, the audit log and erasure,
 * `tenants` keys for other tenants, beside `admin`.
 */
export type ApiKeyScope = "read" | "write" | "admin" | "tenants";

/** An API key as it can be shown: never the key itself. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  /** The key's first characters, to tell keys apart. */
  readonly prefix: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly createdAt: string;
  /** Exact to about a minute. */
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
  /** From then on it opens nothing; null for a key that does not end. */
  readonly expiresAt: string | null;
}

/** Who a request comes from. */
export interface Principal {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly scopes: readonly ApiKeyScope[];
}

export interface ApiKeys {
  /**
   * Makes a key. `key` is answered here and nowhere else: only its hash is stored.
   *
   * @throws EngineError `invalid_api_key` for a name, scopes or an expiry that are out of bounds
   */
  create(input: NewApiKey): Promise<ApiKey & { readonly key: string }>;
  /**
   * Makes sure that a key given by configuration exists, with this name and these scopes, and revokes the tenant's
   * other keys of this name: whoever changes the configured key means the old one to end. A key that was rotated works
   * until its overlap ends, is logged as a warning, and leaves its successor alone.
   *
   * @throws EngineError `invalid_api_key` when it is shorter than 32 characters or belongs to another tenant,
   * `api_key_revoked`, `api_key_expired`
   */
  ensure(input: NewApiKey & { readonly key: string }): Promise<ApiKey>;
  /** Null for a key that is unknown, revoked or expired. */
  authenticate(key: string): Promise<Principal | null>;
  /** False when the tenant has no such key. A revoked key stays revoked. */
  revoke(key: ApiKeyReference): Promise<boolean>;
  /**
   * Makes a successor of the same name, scopes and expiry, and lets the old key end after `overlapSeconds` (a day when absent,
   * 0 ends it at once). Null when the tenant has no such key that still works.
   */
  rotate(
    key: ApiKeyReference & { readonly overlapSeconds?: number },
  ): Promise<(ApiKey & { readonly key: string }) | null>;
  /** Every tenant that has or had a key. */
  tenants(): Promise<readonly string[]>;
  /** The tenant's keys, newest first, revoked and expired ones among them. */
  list(query: { readonly tenantId: string }): Promise<readonly ApiKey[]>;
}

export interface ApiKeyReference {
  readonly tenantId: string;
  readonly id: string;
  /** Who does it, for the audit log. */
  readonly actor?: string;
}

export interface NewApiKey {
  readonly tenantId: string;
  readonly name: string;
  /** `read` and `write` when absent. */
  readonly scopes?: readonly ApiKeyScope[];
  /** When it stops working; never when absent. */
  readonly expiresAt?: Date;
  /** Who makes it, for the audit log. */
  readonly actor?: string;
  /** The maker's tenant, where it is another: its audit log tells of it too. */
  readonly actorTenantId?: string;
}

interface ApiKeyRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
  /** When it ends: its own time, or the end of a rotation's overlap. */
  readonly expires_at: Date | null;
  /** Its own time alone. */
  readonly granted_until: Date | null;
}

const DEFAULT_SCOPES: readonly ApiKeyScope[] = ["read", "write"];
const SCOPES: ReadonlySet<unknown> = new Set([...DEFAULT_SCOPES, "admin", "tenants"]);
const PREFIX_CHARACTERS = 11;
const MAX_KEY_CHARACTERS = 256;

export function createApiKeys(store: Store): ApiKeys {
  const { database, schema, clock, logger } = store;
  const table = `"${schema}".api_keys`;
  const columns =
    "id, tenant_id, name, prefix, scopes, created_at, last_used_at, revoked_at, expires_at, granted_until";

  async function insert(tx: Transaction, input: NewApiKey): Promise<ApiKey & { readonly key: string }> {
    const key = `hk_${randomBytes(32).toString("base64url")}`;
    const { row } = await put(tx, { ...input, key });
    const act = actOf("api_key.created", row, input.actor);
    const { actorTenantId = row.tenant_id } = input;
    const elsewhere = { ...act, tenantId: actorTenantId, details: { ...act.details, tenantId: row.tenant_id } };
    await writeAudit(store, tx, actorTenantId === row.tenant_id ? [act] : [act, elsewhere]);
    return { ...toApiKey(row), key };
  }

  /** Inserts the key unless its hash is known; answers the row that is there afterwards. */
  async function put(
    tx: Transaction,
    { tenantId, name, scopes = DEFAULT_SCOPES, ...rest }: NewApiKey & { key: string },
  ) {
    const [row] = await tx.query<ApiKeyRow & { readonly inserted: boolean }>(
      `insert into ${table} (id, tenant_id, name, key_hash, prefix, scopes, created_at, expires_at, granted_until)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
       on conflict (key_hash) do update
         set name = case when ${table}.tenant_id = excluded.tenant_id then excluded.name else ${table}.name end,
             scopes = case when ${table}.tenant_id = excluded.tenant_id then excluded.scopes else ${table}.scopes end
       returning ${columns}, xmax = 0 as inserted`,
      [
        newId("key", clock.now()),
        tenantId,
        name,
        hashOf(rest.key),
        rest.key.slice(0, PREFIX_CHARACTERS),
        [...scopes],
        new Date(clock.now()),
        rest.expiresAt ?? null,
      ],
    );
    return { row: row as ApiKeyRow, inserted: row?.inserted === true };
  }

  return {
    async create(input) {
      checkNewKey(input, clock.now());
      return database.transaction((tx) => insert(tx, input));
    },

    async ensure(input) {
      checkNewKey(input, clock.now());
      if (input.key.length < DEFAULTS.minApiKeyCharacters || input.key.length > MAX_KEY_CHARACTERS) {
        throw new EngineError(
          "invalid_api_key",
          `An API key has ${DEFAULTS.minApiKeyCharacters} to ${MAX_KEY_CHARACTERS} characters.`,
        );
      }
      return database.transaction(async (tx) => {
        const { row, inserted } = await put(tx, input);
        if (row.tenant_id !== input.tenantId) {
          throw new EngineError("invalid_api_key", "This API key belongs to another tenant.");
        }
        if (row.revoked_at) throw new EngineError("api_key_revoked", `The API key ${row.prefix}… has been revoked.`);
        if (row.expires_at && row.expires_at.getTime() <= clock.now()) throw expired(row, row.expires_at);
        if (row.expires_at && row.expires_at.getTime() !== row.granted_until?.getTime()) {
          logger.warn(
            { apiKeyId: row.id, expiresAt: row.expires_at.toISOString() },
            "the configured API key was rotated and is about to end: configure its successor",
          );
          return toApiKey(row);
        }
        const revoked = await tx.query<ApiKeyRow>(
          `update ${table} set revoked_at = $4 where tenant_id = $1 and name = $2 and id <> $3 and revoked_at is null
           returning ${columns}`,
          [row.tenant_id, row.name, row.id, new Date(clock.now())],
        );
        await writeAudit(store, tx, [
          ...(inserted ? [actOf("api_key.created", row, input.actor)] : []),
          ...revoked.map((one) => actOf("api_key.revoked", one, input.actor)),
        ]);
        return toApiKey(row);
      });
    },

    async authenticate(key) {
      if (key.length > MAX_KEY_CHARACTERS) return null;
      const nowMs = clock.now();
      const [row] = await database.query<ApiKeyRow>(
        `select ${columns} from ${table}
         where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
        [hashOf(key), new Date(nowMs)],
      );
      if (!row) return null;
      if (!row.last_used_at || nowMs - row.last_used_at.getTime() >= DEFAULTS.apiKeyUseIntervalMs) {
        await database.query(`update ${table} set last_used_at = $2 where id = $1`, [row.id, new Date(nowMs)]);
      }
      return { tenantId: row.tenant_id, apiKeyId: row.id, scopes: row.scopes };
    },

    revoke: ({ tenantId, id, actor }) =>
      database.transaction(async (tx) => {
        const [known] = await tx.query<ApiKeyRow>(
          `select ${columns} from ${table} where tenant_id = $1 and id = $2 for update`,
          [tenantId, id],
        );
        if (!known || known.revoked_at) return known !== undefined;
        await tx.query(`update ${table} set revoked_at = $2 where id = $1`, [id, new Date(clock.now())]);
        await writeAudit(store, tx, [actOf("api_key.revoked", known, actor)]);
        return true;
      }),

    rotate: async ({ tenantId, id, actor, overlapSeconds = DEFAULTS.keyOverlapSeconds }) => {
      if (!(overlapSeconds >= 0)) throw new EngineError("invalid_api_key", "overlapSeconds is 0 or more.");
      return database.transaction(async (tx) => {
        const now = new Date(clock.now());
        const [old] = await tx.query<ApiKeyRow>(
          `select ${columns} from ${table}
           where tenant_id = $1 and id = $2 and revoked_at is null and (expires_at is null or expires_at > $3)
           for update`,
          [tenantId, id, now],
        );
        if (!old) return null;
        await tx.query(`update ${table} set expires_at = least(expires_at, $2::timestamptz) where id = $1`, [
          id,
          new Date(now.getTime() + overlapSeconds * 1000),
        ]);
        await writeAudit(store, tx, [actOf("api_key.rotated", old, actor)]);
        return insert(tx, {
          tenantId,
          name: old.name,
          scopes: old.scopes,
          ...(old.granted_until === null ? {} : { expiresAt: old.granted_until }),
          ...(actor === undefined ? {} : { actor }),
        });
      });
    },

    async tenants() {
      const rows = await database.query<{ readonly tenant_id: string }>(
        `select distinct tenant_id from ${table} order by tenant_id`,
      );
      return rows.map(({ tenant_id }) => tenant_id);
    },

    async list({ tenantId }) {
      const rows = await database.query<ApiKeyRow>(
        `select ${columns} from ${table} where tenant_id = $1 order by id desc`,
        [tenantId],
      );
      return rows.map(toApiKey);
    },
  };
}

function checkNewKey({ name, scopes, expiresAt }: NewApiKey, nowMs: number): void {
  const refuse = (message: string): never => {
    throw new EngineError("invalid_api_key", message);
  };
  if (typeof name !== "string" || !isCleanText(name, DEFAULTS.maxNameCharacters)) {
    refuse(`The name of an API key is a text of 1 to ${DEFAULTS.maxNameCharacters} characters.`);
  }
  if (scopes && (scopes.length === 0 || !scopes.every((scope) => SCOPES.has(scope)))) {
    refuse(`The scopes of an API key are some of ${[...SCOPES].join(", ")}.`);
  }
  if (expiresAt && !(expiresAt.getTime() > nowMs)) refuse("An API key expires in the future, or never.");
}

function expired({ prefix }: ApiKeyRow, at: Date): EngineError {
  return new EngineError(
    "api_key_expired",
    `The API key ${prefix}… ended at ${at.toISOString()}: it was rotated, or made for a time. Configure its successor, which the rotation answered, or a new key.`,
  );
}

function actOf(action: string, row: ApiKeyRow, actor: string | undefined): AuditAct {
  return {
    tenantId: row.tenant_id,
    action,
    target: row.id,
    details: { name: row.name, prefix: row.prefix, scopes: row.scopes },
    ...(actor === undefined ? {} : { actor }),
  };
}

function hashOf(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}
