import type { Transaction } from "@hookline/core";
import type { Store } from "../storage/store.js";
import type { ContactChanges, PlannedContact } from "./contact-plan.js";

/** Writes what a plan made of contacts that the transaction holds; a few statements, however many they are. */
export async function writeContacts(store: Store, tx: Transaction, changes: ContactChanges): Promise<void> {
  const now = new Date(store.clock.now());
  if (changes.inserted.length > 0) await insertContacts(store, tx, changes.inserted, now);
  if (changes.updated.length > 0) await updateContacts(store, tx, changes.updated, now);
  if (changes.merged.length > 0) await mergeContacts(store, tx, changes, now);
  if (changes.identities.length > 0) await insertIdentities(store, tx, changes.identities, now);
}

const CONTACT_COLUMNS = `id text, tenant_id text, properties jsonb, property_times jsonb,
  first_seen_at timestamptz, last_seen_at timestamptz, created_at timestamptz`;

async function insertContacts({ schema }: Store, ...[tx, contacts, now]: Writing<PlannedContact>): Promise<void> {
  await tx.query(
    `insert into "${schema}".contacts
       (id, tenant_id, properties, property_times, first_seen_at, last_seen_at, created_at, updated_at)
     select id, tenant_id, properties, property_times, first_seen_at, last_seen_at, created_at, $2::timestamptz
     from json_to_recordset($1::text::json) as w (${CONTACT_COLUMNS})`,
    [JSON.stringify(contacts.map(toRow)), now],
  );
}

async function updateContacts({ schema }: Store, ...[tx, contacts, now]: Writing<PlannedContact>): Promise<void> {
  await tx.query(
    `update "${schema}".contacts as c
     set properties = w.properties,
         property_times = w.property_times,
         first_seen_at = w.first_seen_at,
         last_seen_at = w.last_seen_at,
         created_at = w.created_at,
         updated_at = $2::timestamptz
     from json_to_recordset($1::text::json) as w (${CONTACT_COLUMNS})
     where c.id = w.id`,
    [JSON.stringify(contacts.map(toRow)), now],
  );
}

type Writing<Row> = [tx: Transaction, rows: readonly Row[], now: Date];

function toRow(contact: PlannedContact) {
  return {
    id: contact.id,
    tenant_id: contact.tenantId,
    properties: contact.state.properties,
    property_times: contact.state.times,
    first_seen_at: isoOrNull(contact.firstSeenMs),
    last_seen_at: isoOrNull(contact.lastSeenMs),
    created_at: isoOrNull(contact.createdMs),
  };
}

/** What belonged to the merged ones belongs to who survived, and their ids stay known. */
async function mergeContacts(
  { schema }: Store,
  ...[tx, { merged, deletedIds }, now]: [tx: Transaction, changes: ContactChanges, now: Date]
): Promise<void> {
  const moves = JSON.stringify(
    merged.map(({ id, tenantId, contactId }) => ({ from_id: id, tenantId, to_id: contactId })),
  );
  const from = `from json_to_recordset($1::text::json) as w (from_id text, to_id text) where t.contact_id = w.from_id`;
  await tx.query(`update "${schema}".contact_identities as t set contact_id = w.to_id ${from}`, [moves]);
  await tx.query(`update "${schema}".contact_aliases as t set contact_id = w.to_id ${from}`, [moves]);
  await tx.query(
    `insert into "${schema}".contact_aliases (alias_id, tenant_id, contact_id, merged_at)
     select from_id, "tenantId", to_id, $2::timestamptz
     from json_to_recordset($1::text::json) as w (from_id text, "tenantId" text, to_id text)`,
    [moves, now],
  );
  await tx.query(`delete from "${schema}".contacts where id in (select json_array_elements_text($1::text::json))`, [
    JSON.stringify(deletedIds),
  ]);
}

async function insertIdentities(
  { schema }: Store,
  ...[tx, identities, now]: Writing<ContactChanges["identities"][number]>
): Promise<void> {
  await tx.query(
    `insert into "${schema}".contact_identities (tenant_id, kind, value, contact_id, created_at)
     select "tenantId", kind, value, "contactId", $2::timestamptz
     from json_to_recordset($1::text::json) as w ("tenantId" text, kind text, value text, "contactId" text)`,
    [JSON.stringify(identities), now],
  );
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
