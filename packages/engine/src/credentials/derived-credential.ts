import type { Transaction } from "@hookline/core";
import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
import { writeAudit } from "../access/audit.js";
import { DEFAULTS } from "../defaults.js";
import { EngineError } from "../errors.js";
import type { Store } from "../storage/store.js";

/** What an installation leaves behind, such as a guild's id and a webhook's URL. Stored encrypted as a whole. */
export type DerivedCredential = Readonly<Record<string, unknown>>;

export interface CredentialKey {
  /** The connector's id. */
  readonly providerId: string;
  readonly tenantId?: string;
}

/** Where credentials live: an engine has one as `engine.credentials`. */
export interface CredentialStore {
  readonly store: Store;
  readonly cipher: ColumnCipher;
}

/** An engine's credentials. */
export interface Credentials extends CredentialStore {
  /**
   * Writes what an older key encrypted anew with the newest, the secrets of sources among it, one value at a time beside
   * ordinary work. When
   * `unreadable` is 0 the older keys can go. Safe to break off and to call again.
   */
  reencrypt(options?: { readonly actor?: string }): Promise<Reencrypted>;
}

/** What became of the stored credentials and secrets. */
export interface Reencrypted {
  /** How many were written anew with the newest key. */
  readonly reencrypted: number;
  /** How many none of the keys fits; they are left as they are. */
  readonly unreadable: number;
}

/**
 * Merges a patch into what is stored, atomically beside other patches, and answers the outcome. Top-level keys of the
 * patch replace stored ones, `null` removes one, `undefined` leaves it; nothing merges deeper.
 *
 * @throws EngineError `credential_unreadable` when what is stored can't be decrypted with the engine's keys
 */
export async function saveDerivedCredential(
  { store, cipher }: CredentialStore,
  { providerId, tenantId = DEFAULTS.tenantId }: CredentialKey,
  patch: Readonly<Record<string, unknown>>,
): Promise<DerivedCredential> {
  const { database, schema, clock } = store;
  return database.transaction(async (tx) => {
    await lockCredential(tx, schema, { providerId, tenantId });
    const [row] = await tx.query<{ payload: string }>(
      `select payload from "${schema}".derived_credentials where tenant_id = $1 and provider_id = $2`,
      [tenantId, providerId],
    );
    const stored = row ? read(cipher, row.payload, { providerId, tenantId }) : {};
    const changed = Object.entries(patch).filter(([, value]) => value !== undefined);
    const merged = Object.fromEntries([...Object.entries(stored), ...changed].filter(([key]) => patch[key] !== null));
    await tx.query(
      `insert into "${schema}".derived_credentials (tenant_id, provider_id, payload, updated_at)
       values ($1, $2, $3, $4)
       on conflict (tenant_id, provider_id)
         do update set payload = excluded.payload, updated_at = excluded.updated_at`,
      [
        tenantId,
        providerId,
        cipher.encrypt(JSON.stringify(merged), contextOf({ providerId, tenantId })),
        new Date(clock.now()),
      ],
    );
    const changedKeys = Object.keys(patch).sort();
    await writeAudit(store, tx, [
      { tenantId, action: "credential.saved", target: providerId, details: { keys: changedKeys } },
    ]);
    return merged;
  });
}

/** @throws EngineError `credential_unreadable` when what is stored can't be decrypted with the engine's keys */
export async function getDerivedCredential(
  { store: { database, schema }, cipher }: CredentialStore,
  { providerId, tenantId = DEFAULTS.tenantId }: CredentialKey,
): Promise<DerivedCredential | null> {
  const [row] = await database.query<{ payload: string }>(
    `select payload from "${schema}".derived_credentials where tenant_id = $1 and provider_id = $2`,
    [tenantId, providerId],
  );
  return row ? read(cipher, row.payload, { providerId, tenantId }) : null;
}

/** There may be no row to lock yet. */
async function lockCredential(
  tx: Transaction,
  schema: string,
  { providerId, tenantId }: Required<CredentialKey>,
): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 1))", [`${schema}/${tenantId}/${providerId}`]);
}

function read(cipher: ColumnCipher, payload: string, key: Required<CredentialKey>): Record<string, unknown> {
  try {
    return JSON.parse(cipher.decrypt(payload, contextOf(key)));
  } catch (cause) {
    if (!isDatabaseError(cause)) throw cause;
    throw new EngineError("credential_unreadable", `The credential of ${key.providerId} can't be decrypted.`, {
      cause,
    });
  }
}

/** What is authenticated beside the payload: it belongs to this provider of this tenant. */
export function contextOf({ providerId, tenantId }: Required<CredentialKey>): string {
  return JSON.stringify(["derived_credentials.payload", tenantId, providerId]);
}
