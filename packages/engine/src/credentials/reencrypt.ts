import { isDatabaseError } from "@hookline/postgres";
import { writeAudit } from "../access/audit.js";
import { DEFAULTS } from "../defaults.js";
import { type CredentialStore, contextOf, lockCredential, type Reencrypted } from "./derived-credential.js";

interface CredentialRow {
  readonly tenant_id: string;
  readonly provider_id: string;
  readonly payload: string;
}

/** Goes through all credentials in pages; each one is its own transaction, so nothing waits for the rest. */
export async function reencryptCredentials(
  credentials: CredentialStore,
  { actor }: { readonly actor?: string } = {},
): Promise<Reencrypted> {
  const { store, cipher } = credentials;
  const total = { reencrypted: 0, unreadable: 0 };
  let after: readonly [string, string] = ["", ""];
  for (;;) {
    const rows = await store.database.query<CredentialRow>(
      `select tenant_id, provider_id, payload from "${store.schema}".derived_credentials
       where (tenant_id, provider_id) > ($1, $2)
       order by tenant_id, provider_id
       limit $3`,
      [...after, DEFAULTS.reencryptBatch],
    );
    for (const row of rows) {
      if (!needsRotation(cipher, row.payload)) continue;
      const outcome = await reencryptOne(credentials, row, actor);
      if (outcome !== null) total[outcome] += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < DEFAULTS.reencryptBatch) return total;
    after = [last.tenant_id, last.provider_id];
  }
}

/** Null when somebody else has written it meanwhile. */
function reencryptOne(
  { store, cipher }: CredentialStore,
  { tenant_id: tenantId, provider_id: providerId }: CredentialRow,
  actor: string | undefined,
): Promise<keyof Reencrypted | null> {
  const { database, schema, logger } = store;
  return database.transaction(async (tx) => {
    await lockCredential(tx, schema, { tenantId, providerId });
    const [row] = await tx.query<CredentialRow>(
      `select tenant_id, provider_id, payload from "${schema}".derived_credentials
       where tenant_id = $1 and provider_id = $2`,
      [tenantId, providerId],
    );
    if (!row || !needsRotation(cipher, row.payload)) return null;
    const context = contextOf({ tenantId, providerId });
    let text: string;
    try {
      text = cipher.decrypt(row.payload, context);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      logger.error({ err: error, tenantId, providerId }, "a credential can't be decrypted with any of the keys");
      return "unreadable";
    }
    // `updated_at` stays: the credential itself has not been renewed.
    await tx.query(
      `update "${schema}".derived_credentials set payload = $3 where tenant_id = $1 and provider_id = $2`,
      [tenantId, providerId, cipher.encrypt(text, context)],
    );
    const act = { tenantId, action: "credential.reencrypted", target: providerId };
    await writeAudit(store, tx, [{ ...act, ...(actor === undefined ? {} : { actor }) }]);
    return "reencrypted";
  });
}

/** What no cipher has written counts as something to look at. */
function needsRotation(cipher: CredentialStore["cipher"], payload: string): boolean {
  try {
    return cipher.needsRotation(payload);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return true;
  }
}
