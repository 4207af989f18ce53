import type { Identity, Transaction } from "@hookline/core";
import { isEngineError, type LinkContact } from "@hookline/engine";

/** Whose a thing of the desk is: a contact, or whoever is known by these identities. */
export type Owner = { readonly contactId: string } | { readonly identities: readonly Identity[] };

/**
 * Writes down whose a ticket or a user is, in the transaction that makes it: then what is published about it is about that
 * contact, and an erasure finds it. An address that is none belongs to nobody.
 */
export async function rememberOwner(
  { linkContact, schema }: { readonly linkContact: LinkContact; readonly schema: string },
  transaction: Transaction,
  { tenantId, subject, owner }: { readonly tenantId: string; readonly subject: string; readonly owner: Owner },
): Promise<void> {
  let contactId: string;
  if ("contactId" in owner) contactId = owner.contactId;
  else {
    try {
      const { identities } = owner;
      ({ contactId } = await linkContact({ tenantId, identities }, { transaction }));
    } catch (error) {
      if (isEngineError(error) && error.code === "invalid_email") return;
      throw error;
    }
  }
  await transaction.query(
    `INSERT INTO ${schema}.people (subject, tenant_id, contact_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [subject, tenantId, contactId],
  );
}
