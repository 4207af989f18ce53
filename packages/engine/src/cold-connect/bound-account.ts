import type { Transaction } from "@hookline/core";
import type { ResolvedOptions } from "./options.js";

interface Account {
  readonly tenantId: string;
  readonly platformUserId: string;
}

/** Whether the account's contact is known by anything else: an account that stands alone is linked to nobody. */
export async function isBound(
  { store, identityKind, platformKey }: ResolvedOptions,
  { tenantId, platformUserId }: Account,
  tx: Pick<Transaction, "query"> = store.database,
): Promise<boolean> {
  const rows = await tx.query(
    `select 1 as found
     from "${store.schema}".contact_identities account
     join "${store.schema}".contact_identities other on other.contact_id = account.contact_id
     where account.tenant_id = $1 and account.kind = $2 and account.value = $3
       and (other.kind, other.value) <> (account.kind, account.value)
     limit 1`,
    [tenantId, identityKind, platformKey(platformUserId)],
  );
  return rows.length > 0;
}
