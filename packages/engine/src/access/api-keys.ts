import { createHash, randomBytes } from "node:crypto";
import { newId } from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";

/** `read` allows what changes nothing, `write` the rest. */
export type ApiKeyScope = "read" | "write";

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
}

/** Who a request comes from. */
export interface Principal {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly scopes: readonly ApiKeyScope[];
}

export interface ApiKeys {
  /** Makes a key. `key` is answered here and nowhere else: only its hash is stored. */
  create(input: NewApiKey): Promise<ApiKey & { readonly key: string }>;
  /**
   * Makes sure that a key given by configuration exists, with this name and these scopes, and revokes the tenant's
   * other keys of this name: whoever changes the configured key means the old one to end.
   *
   * @throws EngineError `invalid_api_key` when it is shorter than 32 characters or belongs to another tenant,
   * `api_key_revoked`
   */
  ensure(input: NewApiKey & { readonly key: string }): Promise<ApiKey>;
  /** Null for a key that is unknown or revoked. */
  authenticate(key: string): Promise<Principal | null>;
  /** False when the tenant has no such key. A revoked key stays revoked. */
  revoke(key: { readonly tenantId: string; readonly id: string }): Promise<boolean>;
}

export interface NewApiKey {
  readonly tenantId: string;
  readonly name: string;
  /** Both when absent. */
  readonly scopes?: readonly ApiKeyScope[];
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
}

const SCOPES: readonly ApiKeyScope[] = ["read", "write"];
const PREFIX_CHARACTERS = 11;
const MAX_KEY_CHARACTERS = 256;

export function createApiKeys({ database, schema, clock }: Store): ApiKeys {
  const table = `"${schema}".api_keys`;
  const columns = "id, tenant_id, name, prefix, scopes, created_at, last_used_at, revoked_at";

  /** Inserts the key unless its hash is known; answers the row that is there afterwards. */
  async function put({ tenantId, name, scopes = SCOPES, key }: NewApiKey & { key: string }): Promise<ApiKeyRow> {
    const [row] = await database.query<ApiKeyRow>(
      `insert into ${table} (id, tenant_id, name, key_hash, prefix, scopes, created_at)
       values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (key_hash) do update
         set name = case when ${table}.tenant_id = excluded.tenant_id then excluded.name else ${table}.name end,
             scopes = case when ${table}.tenant_id = excluded.tenant_id then excluded.scopes else ${table}.scopes end
       returning ${columns}`,
      [
        newId("key", clock.now()),
        tenantId,
        name,
        hashOf(key),
        key.slice(0, PREFIX_CHARACTERS),
        [...scopes],
        new Date(clock.now()),
      ],
    );
    return row as ApiKeyRow;
  }

  return {
    async create(input) {
      const key = `hk_${randomBytes(32).toString("base64url")}`;
      return { ...toApiKey(await put({ ...input, key })), key };
    },

    async ensure(input) {
      if (input.key.length < DEFAULTS.minApiKeyCharacters || input.key.length > MAX_KEY_CHARACTERS) {
        throw new EngineError(
          "invalid_api_key",
          `An API key has ${DEFAULTS.minApiKeyCharacters} to ${MAX_KEY_CHARACTERS} characters.`,
        );
      }
      const row = await put(input);
      if (row.tenant_id !== input.tenantId) {
        throw new EngineError("invalid_api_key", "This API key belongs to another tenant.");
      }
      if (row.revoked_at) throw new EngineError("api_key_revoked", `The API key ${row.prefix}… has been revoked.`);
      await database.query(
        `update ${table} set revoked_at = $4 where tenant_id = $1 and name = $2 and id <> $3 and revoked_at is null`,
        [row.tenant_id, row.name, row.id, new Date(clock.now())],
      );
      return toApiKey(row);
    },

    async authenticate(key) {
      if (key.length > MAX_KEY_CHARACTERS) return null;
      const [row] = await database.query<ApiKeyRow>(
        `select ${columns} from ${table} where key_hash = $1 and revoked_at is null`,
        [hashOf(key)],
      );
      if (!row) return null;
      const nowMs = clock.now();
      if (!row.last_used_at || nowMs - row.last_used_at.getTime() >= DEFAULTS.apiKeyUseIntervalMs) {
        await database.query(`update ${table} set last_used_at = $2 where id = $1`, [row.id, new Date(nowMs)]);
      }
      return { tenantId: row.tenant_id, apiKeyId: row.id, scopes: row.scopes };
    },

    async revoke({ tenantId, id }) {
      const rows = await database.query(
        `update ${table} set revoked_at = coalesce(revoked_at, $3) where tenant_id = $1 and id = $2 returning id`,
        [tenantId, id, new Date(clock.now())],
      );
      return rows.length > 0;
    },
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
  };
}
