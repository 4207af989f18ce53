import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
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
    // There may be no row to lock yet.
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 1))", [`${schema}/${tenantId}/${providerId}`]);
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

function contextOf({ providerId, tenantId }: Required<CredentialKey>): string {
  return JSON.stringify(["derived_credentials.payload", tenantId, providerId]);
}
