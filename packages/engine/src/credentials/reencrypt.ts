import { type ColumnCipher, isDatabaseError } from "@hookline/postgres";
import { writeAudit } from "../access/audit.js";
import { DEFAULTS } from "../defaults.js";
import { type SourceKey, sourceSecretsContext } from "../sources/source-secrets.js";
import type { Store } from "../storage/store.js";
import { type CredentialStore, contextOf, type Reencrypted } from "./derived-credential.js";

/** A column whose values are encrypted; tenant and id tell its rows apart. */
interface EncryptedColumn {
  readonly table: "derived_credentials" | "sources";
  readonly idColumn: string;
  readonly valueColumn: string;
  /** What the audit log calls it. */
  readonly action: string;
  contextOf(key: SourceKey): string;
}

const COLUMNS: readonly EncryptedColumn[] = [
  {
    table: "derived_credentials",
    idColumn: "provider_id",
    valueColumn: "payload",
    action: "credential.reencrypted",
    contextOf: ({ tenantId, id }) => contextOf({ tenantId, providerId: id }),
  },
  {
    table: "sources",
    idColumn: "id",
    valueColumn: "secrets",
    action: "source.reencrypted",
    contextOf: sourceSecretsContext,
  },
];

interface Reencryption {
  readonly store: Store;
  readonly cipher: ColumnCipher;
  readonly column: EncryptedColumn;
  readonly actor: string | undefined;
}

interface EncryptedRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly value: string;
}

/** Goes through all encrypted values in pages; each one is its own transaction, so nothing waits for the rest. */
export async function reencryptCredentials(
  { store, cipher }: CredentialStore,
  { actor }: { readonly actor?: string } = {},
): Promise<Reencrypted> {
  const total = { reencrypted: 0, unreadable: 0 };
  for (const column of COLUMNS) {
    const { reencrypted, unreadable } = await reencryptColumn({ store, cipher, column, actor });
    total.reencrypted += reencrypted;
    total.unreadable += unreadable;
  }
  return total;
}

async function reencryptColumn(reencryption: Reencryption): Promise<Reencrypted> {
  const { store, cipher, column } = reencryption;
  const total = { reencrypted: 0, unreadable: 0 };
  let after: readonly [string, string] = ["", ""];
  for (;;) {
    const rows = await store.database.query<EncryptedRow>(
      `select tenant_id, "${column.idColumn}" as id, "${column.valueColumn}" as value
       from "${store.schema}"."${column.table}"
       where (tenant_id, "${column.idColumn}") > ($1, $2)
       order by tenant_id, "${column.idColumn}"
       limit $3`,
      [...after, DEFAULTS.reencryptBatch],
    );
    for (const row of rows) {
      if (!needsRotation(cipher, row.value)) continue;
      const outcome = await reencryptOne(reencryption, row);
      if (outcome !== null) total[outcome] += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < DEFAULTS.reencryptBatch) return total;
    after = [last.tenant_id, last.id];
  }
}

/** Null when somebody else has written it meanwhile. */
function reencryptOne(
  { store, cipher, column, actor }: Reencryption,
  { tenant_id: tenantId, id }: EncryptedRow,
): Promise<keyof Reencrypted | null> {
  const { database, schema, logger } = store;
  const table = `"${schema}"."${column.table}"`;
  return database.transaction(async (tx) => {
    const [row] = await tx.query<Pick<EncryptedRow, "value">>(
      `select "${column.valueColumn}" as value from ${table}
       where tenant_id = $1 and "${column.idColumn}" = $2 for update`,
      [tenantId, id],
    );
    if (!row || !needsRotation(cipher, row.value)) return null;
    const context = column.contextOf({ tenantId, id });
    let text: string;
    try {
      text = cipher.decrypt(row.value, context);
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      logger.error(
        { err: error, tenantId, id, table: column.table },
        "none of the encryption keys fits a stored value",
      );
      return "unreadable";
    }
    // The times of change and rotation stay: what is encrypted has not been renewed.
    await tx.query(
      `update ${table} set "${column.valueColumn}" = $3 where tenant_id = $1 and "${column.idColumn}" = $2`,
      [tenantId, id, cipher.encrypt(text, context)],
    );
    const act = { tenantId, action: column.action, target: id };
    await writeAudit(store, tx, [{ ...act, ...(actor === undefined ? {} : { actor }) }]);
    return "reencrypted";
  });
}

/** What no cipher has written counts as something to look at. */
function needsRotation(cipher: ColumnCipher, value: string): boolean {
  try {
    return cipher.needsRotation(value);
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return true;
  }
}
