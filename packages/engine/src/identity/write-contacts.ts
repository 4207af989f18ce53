import type { Transaction } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
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

const CONTACTS = unpackColumns([
  ["id", "text"],
  ["tenant_id", "text"],
  ["properties", "jsonb"],
  ["property_times", "jsonb"],
  ["first_seen_ms", "float8"],
  ["last_seen_ms", "float8"],
  ["created_ms", "float8"],
]);

const SEEN =
  "to_timestamp(t.first_seen_ms / 1000), to_timestamp(t.last_seen_ms / 1000), to_timestamp(t.created_ms / 1000)";

function packContacts(contacts: readonly PlannedContact[]): readonly string[] {
  return [
    packColumn(contacts, ({ id }) => id),
    packColumn(contacts, ({ tenantId }) => tenantId),
    packColumn(contacts, ({ state }) => JSON.stringify(state.properties)),
    packColumn(contacts, ({ state }) => JSON.stringify(state.times)),
    packColumn(contacts, ({ firstSeenMs }) => firstSeenMs),
    packColumn(contacts, ({ lastSeenMs }) => lastSeenMs),
    packColumn(contacts, ({ createdMs }) => createdMs),
  ];
}

async function insertContacts({ schema }: Store, ...[tx, contacts, now]: Writing<PlannedContact>): Promise<void> {
  await tx.query(
    `insert into "${schema}".contacts
       (id, tenant_id, properties, property_times, first_seen_at, last_seen_at, created_at, updated_at)
     select t.id, t.tenant_id, t.properties, t.property_times, ${SEEN}, $8::timestamptz
     from ${CONTACTS}`,
    [...packContacts(contacts), now],
  );
}

async function updateContacts({ schema }: Store, ...[tx, contacts, now]: Writing<PlannedContact>): Promise<void> {
  await tx.query(
    `update "${schema}".contacts as c
     set (properties, property_times, first_seen_at, last_seen_at, created_at, updated_at) =
       (t.properties, t.property_times, ${SEEN}, $8::timestamptz)
     from ${CONTACTS}
     where c.id = t.id`,
    [...packContacts(contacts), now],
  );
}

type Writing<Row> = [tx: Transaction, rows: readonly Row[], now: Date];

const MOVES = unpackColumns([
  ["from_id", "text"],
  ["tenant_id", "text"],
  ["to_id", "text"],
]);

/** What belonged to the merged ones belongs to who survived, and their ids stay known. */
async function mergeContacts(
  { schema }: Store,
  ...[tx, { merged, deletedIds }, now]: [tx: Transaction, changes: ContactChanges, now: Date]
): Promise<void> {
  const moves = [
    packColumn(merged, ({ id }) => id),
    packColumn(merged, ({ tenantId }) => tenantId),
    packColumn(merged, ({ contactId }) => contactId),
  ];
  await tx.query(
    `update "${schema}".contact_identities as i set contact_id = t.to_id from ${MOVES} where i.contact_id = t.from_id`,
    moves,
  );
  await tx.query(
    `update "${schema}".contact_aliases as a set contact_id = t.to_id from ${MOVES} where a.contact_id = t.from_id`,
    moves,
  );
  await tx.query(
    `insert into "${schema}".contact_aliases (alias_id, tenant_id, contact_id, merged_at)
     select from_id, tenant_id, to_id, $4::timestamptz from ${MOVES}`,
    [...moves, now],
  );
  await tx.query(`delete from "${schema}".contacts as c using ${unpackColumns([["id", "text"]])} where c.id = t.id`, [
    packColumn(deletedIds, (id) => id),
  ]);
}

async function insertIdentities(
  { schema }: Store,
  ...[tx, identities, now]: Writing<ContactChanges["identities"][number]>
): Promise<void> {
  await tx.query(
    `insert into "${schema}".contact_identities (tenant_id, kind, value, contact_id, created_at)
     select tenant_id, kind, value, contact_id, $5::timestamptz
     from ${unpackColumns([
       ["tenant_id", "text"],
       ["kind", "text"],
       ["value", "text"],
       ["contact_id", "text"],
     ])}`,
    [
      packColumn(identities, ({ tenantId }) => tenantId),
      packColumn(identities, ({ kind }) => kind),
      packColumn(identities, ({ value }) => value),
      packColumn(identities, ({ contactId }) => contactId),
      now,
    ],
  );
}
