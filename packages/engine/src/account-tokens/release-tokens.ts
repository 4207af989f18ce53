import type { Connector, Outbox, Transaction } from "@hookline/core";
import type { Store } from "../storage/store.js";
import type { AccountKey } from "./account-tokens.js";

/** Notes that an account is linked to nobody any more: its tokens are to be given back. */
export async function markReleased({ schema, clock }: Store, tx: Transaction, key: AccountKey): Promise<void> {
  await tx.query(
    `update "${schema}".account_tokens set released_at = $4
     where tenant_id = $1 and connector_id = $2 and account_id = $3`,
    [key.tenantId, key.connectorId, key.accountId, new Date(clock.now())],
  );
}

/** Takes the note back: the account is linked again, and its tokens stay. */
export async function unmarkReleased({ schema }: Store, tx: Transaction, key: AccountKey): Promise<void> {
  await tx.query(
    `update "${schema}".account_tokens set released_at = null
     where tenant_id = $1 and connector_id = $2 and account_id = $3 and released_at is not null`,
    [key.tenantId, key.connectorId, key.accountId],
  );
}

/** The connectors of a tenant some of whose tokens have still to be given back. */
async function listReleasing({ schema }: Store, tx: Transaction, tenantId: string): Promise<readonly string[]> {
  const rows = await tx.query<{ connector_id: string }>(
    `select distinct connector_id from "${schema}".account_tokens where tenant_id = $1 and released_at is not null`,
    [tenantId],
  );
  return rows.map((row) => row.connector_id);
}

/**
 * Has the tokens of a contact's accounts given back by their connectors, in the transaction that removes the contact.
 * Those that no connector gives back go at once.
 */
export async function releaseTokensOf(
  parts: { readonly store: Store; readonly outbox: Outbox; readonly connectors: readonly Connector[] },
  tx: Transaction,
  { tenantId, contactId }: { readonly tenantId: string; readonly contactId: string },
): Promise<void> {
  const { store, outbox, connectors } = parts;
  await tx.query(
    `update "${store.schema}".account_tokens t set released_at = $3
     from "${store.schema}".contact_identities p
     where p.contact_id = $2 and t.tenant_id = $1 and p.kind = t.connector_id and p.value = t.account_id`,
    [tenantId, contactId, new Date(store.clock.now())],
  );
  for (const connectorId of await listReleasing(store, tx, tenantId)) {
    const connector = connectors.find(({ id }) => id === connectorId);
    const order = connector?.releaseTokens?.(tenantId) ?? null;
    if (order) await outbox.send(order, { transaction: tx });
    else {
      await tx.query(
        `delete from "${store.schema}".account_tokens t using "${store.schema}".contact_identities p
         where p.contact_id = $3 and t.tenant_id = $1 and t.connector_id = $2
           and p.kind = t.connector_id and p.value = t.account_id`,
        [tenantId, connectorId, contactId],
      );
    }
  }
}
