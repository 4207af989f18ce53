import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
import type { Reencrypted } from "../credentials/derived-credential.js";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";

/** Whose tokens: one account of a platform, as one tenant knows it. */
export interface AccountKey {
  readonly tenantId: string;
  readonly connectorId: string;
  /** The platform's own id of the person. */
  readonly accountId: string;
}

export interface GrantedTokens {
  /** Whatever the connector keeps of them. Stored encrypted as a whole. */
  readonly tokens: Readonly<Record<string, unknown>>;
  /** Grows with each write: what was read is written or removed only while nobody else has. */
  readonly version: number;
  /** When the person allowed it. */
  readonly grantedAt: Date;
  /** From when on they are to be given back; null for those that stay. */
  readonly releasedAt: Date | null;
}

/** `busy`: somebody else works with them. `none`: there are none. */
export type ClaimedTokens =
  | ({ readonly status: "claimed" } & GrantedTokens)
  | { readonly status: "busy" }
  | { readonly status: "none" };

/**
 * Tokens by which a connector acts for a person, such as Discord's for Linked Roles. Once the account is linked to nobody
 * any more they wait to be given back by the connector, for 7 days at most.
 */
export interface AccountTokens {
  /**
   * Replaces what there was: the person has allowed it anew. With `releaseAfterMs` they are to be given back from then on
   * unless the account is linked, or they are saved without, before.
   */
  save(
    key: AccountKey,
    tokens: Readonly<Record<string, unknown>>,
    options?: { readonly releaseAfterMs?: number },
  ): Promise<void>;
  /** When the person allowed it; null where there are no tokens. */
  grantedAt(key: AccountKey): Promise<Date | null>;
  /**
   * Reads them for one who works with them alone, for so long at most.
   *
   * @throws EngineError `credential_unreadable` when they can't be decrypted with the engine's keys
   */
  claim(key: AccountKey, options: { readonly forMs: number }): Promise<ClaimedTokens>;
  /** Writes refreshed ones and keeps the claim; answers the new version, or null when they were allowed anew meanwhile. */
  refresh(key: AccountKey, version: number, tokens: Readonly<Record<string, unknown>>): Promise<number | null>;
  /** Takes back that they are to be given back, as `claim` has read it; a later note stays. */
  keep(key: AccountKey, noted: { readonly releasedAt: Date }): Promise<void>;
  /** Ends a claim. */
  release(key: AccountKey, version: number): Promise<void>;
  /** False when they were allowed anew meanwhile; those stay. */
  remove(key: AccountKey, version: number): Promise<boolean>;
  /** Up to 20 accounts whose tokens are to be given back, those first that wait longest: unlinked, or of who was erased. `except` are account ids to pass over. */
  released(
    connector: Pick<AccountKey, "tenantId" | "connectorId">,
    options?: { readonly except: readonly string[] },
  ): Promise<readonly string[]>;
}

interface TokenRow {
  readonly payload: string;
  readonly version: number;
  readonly granted_at: Date;
  readonly released_at: Date | null;
}

interface TokenParts {
  readonly store: Store;
  readonly cipher: ColumnCipher;
}

const OF_KEY = "tenant_id = $1 and connector_id = $2 and account_id = $3";

export function createAccountTokens({ store, cipher }: TokenParts): AccountTokens {
  const { database, schema, clock } = store;
  const table = `"${schema}".account_tokens`;
  const params = ({ tenantId, connectorId, accountId }: AccountKey) => [tenantId, connectorId, accountId];
  const seal = (key: AccountKey, tokens: object) => cipher.encrypt(JSON.stringify(tokens), contextOf(key));

  function open(key: AccountKey, payload: string): Record<string, unknown> {
    try {
      return JSON.parse(cipher.decrypt(payload, contextOf(key)));
    } catch (cause) {
      if (!isDatabaseError(cause)) throw cause;
      throw new EngineError("credential_unreadable", "An account's tokens can't be decrypted.", { cause });
    }
  }

  return {
    async save(key, tokens, { releaseAfterMs } = {}) {
      const nowMs = clock.now();
      await database.query(
        `insert into ${table} as kept (tenant_id, connector_id, account_id, payload, version, granted_at, released_at)
         values ($1, $2, $3, $4, 1, $5, $6)
         on conflict (tenant_id, connector_id, account_id) do update
           set payload = excluded.payload, version = kept.version + 1, granted_at = excluded.granted_at,
               claimed_until = null, released_at = excluded.released_at`,
        [
          ...params(key),
          seal(key, tokens),
          new Date(nowMs),
          releaseAfterMs === undefined ? null : new Date(nowMs + releaseAfterMs),
        ],
      );
    },

    async grantedAt(key) {
      const [row] = await database.query<TokenRow>(`select granted_at from ${table} where ${OF_KEY}`, params(key));
      return row?.granted_at ?? null;
    },

    async claim(key, { forMs }) {
      const nowMs = clock.now();
      const [row] = await database.query<TokenRow>(
        `update ${table} set claimed_until = $5
         where ${OF_KEY} and (claimed_until is null or claimed_until <= $4)
         returning payload, version, granted_at, released_at`,
        [...params(key), new Date(nowMs), new Date(nowMs + forMs)],
      );
      if (row) {
        const { payload, version, granted_at: grantedAt, released_at: releasedAt } = row;
        return { status: "claimed", tokens: open(key, payload), version, grantedAt, releasedAt };
      }
      const known = await database.query(`select 1 as found from ${table} where ${OF_KEY}`, params(key));
      return { status: known.length > 0 ? "busy" : "none" };
    },

    async refresh(key, version, tokens) {
      const [row] = await database.query<TokenRow>(
        `update ${table} set payload = $5, version = version + 1 where ${OF_KEY} and version = $4 returning version`,
        [...params(key), version, seal(key, tokens)],
      );
      return row?.version ?? null;
    },

    async keep(key, { releasedAt }) {
      await database.query(`update ${table} set released_at = null where ${OF_KEY} and released_at = $4`, [
        ...params(key),
        releasedAt,
      ]);
    },

    async release(key, version) {
      await database.query(`update ${table} set claimed_until = null where ${OF_KEY} and version = $4`, [
        ...params(key),
        version,
      ]);
    },

    async remove(key, version) {
      const rows = await database.query(`delete from ${table} where ${OF_KEY} and version = $4 returning version`, [
        ...params(key),
        version,
      ]);
      return rows.length > 0;
    },

    async released({ tenantId, connectorId }, { except } = { except: [] }) {
      const rows = await database.query<{ account_id: string }>(
        `select account_id from ${table} where tenant_id = $1 and connector_id = $2 and released_at <= $3
           and account_id not in (select jsonb_array_elements_text($5::jsonb))
         order by released_at limit $4`,
        [tenantId, connectorId, new Date(clock.now()), DEFAULTS.releaseBatch, JSON.stringify(except)],
      );
      return rows.map((row) => row.account_id);
    },
  };
}

interface StoredRow extends TokenRow {
  readonly tenant_id: string;
  readonly connector_id: string;
  readonly account_id: string;
}

/** Writes with the newest key what an older one encrypted, beside ordinary work. */
export async function reencryptAccountTokens({ store, cipher }: TokenParts): Promise<Reencrypted> {
  const { database, schema, logger } = store;
  const total = { reencrypted: 0, unreadable: 0 };
  let after: readonly string[] = ["", "", ""];
  for (;;) {
    const rows = await database.query<StoredRow>(
      `select tenant_id, connector_id, account_id, payload, version from "${schema}".account_tokens
       where (tenant_id, connector_id, account_id) > ($1, $2, $3)
       order by tenant_id, connector_id, account_id
       limit $4`,
      [...after, DEFAULTS.reencryptBatch],
    );
    for (const row of rows) {
      const key = { tenantId: row.tenant_id, connectorId: row.connector_id, accountId: row.account_id };
      try {
        if (!cipher.needsRotation(row.payload)) continue;
        const payload = cipher.encrypt(cipher.decrypt(row.payload, contextOf(key)), contextOf(key));
        // Whoever has written meanwhile has used the newest key.
        await database.query(
          `update "${schema}".account_tokens set payload = $5 where ${OF_KEY} and version = $4 and payload = $6`,
          [key.tenantId, key.connectorId, key.accountId, row.version, payload, row.payload],
        );
        total.reencrypted += 1;
      } catch (error) {
        if (!isDatabaseError(error)) throw error;
        logger.error({ err: error, ...key }, "an account's tokens can't be decrypted with any of the keys");
        total.unreadable += 1;
      }
    }
    const last = rows.at(-1);
    if (!last || rows.length < DEFAULTS.reencryptBatch) return total;
    after = [last.tenant_id, last.connector_id, last.account_id];
  }
}

/** What is authenticated beside the payload: it belongs to this account. */
function contextOf({ tenantId, connectorId, accountId }: AccountKey): string {
  return JSON.stringify(["account_tokens.payload", tenantId, connectorId, accountId]);
}
