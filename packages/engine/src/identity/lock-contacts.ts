import type { Transaction } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import type { Store } from "../storage/store.js";
import { type KnownContacts, ownerKey, type ResolveInput, rankOf, STRONG_KINDS } from "./contact-plan.js";
import type { PropertyState } from "./property-state.js";

interface ContactRow {
  /** Of the identity that it was found by, counted from 1. */
  readonly position: number;
  /** Whether it is not any more as it was when the statement began. */
  readonly changed: boolean;
  readonly id: string;
  readonly properties: Record<string, unknown>;
  readonly property_times: PropertyState["times"];
  readonly first_seen_at: Date | null;
  readonly last_seen_at: Date | null;
  readonly created_at: Date;
}

type Person = Pick<ResolveInput, "tenantId" | "identities">;

interface Wanted {
  readonly key: string;
  readonly tenantId: string;
  readonly kind: string;
  readonly value: string;
  /** Whether it came together with another identity: then two contacts may become one. */
  readonly joins: boolean;
}

const WANTED = unpackColumns([
  ["tenant_id", "text"],
  ["kind", "text"],
  ["value", "text"],
  ["joins", "boolean"],
]);
const OWNED = "i.tenant_id = t.tenant_id and i.kind = t.kind and i.value = t.value";

/**
 * The contacts of these people, locked until the transaction ends; a number of statements that does not depend on how
 * many they are.
 *
 * Safe beside others that do the same: who may create or join identities holds their locks until commit, who takes one
 * away from a contact that stays changes the contact's row, and both identities and contacts are locked in one order. A
 * deadlock over more than one merge, or over an unlinking, is possible and is answered by Postgres with an error;
 * `retryConflicts` around the transaction does the work again.
 */
export async function lockContacts(store: Store, tx: Transaction, people: readonly Person[]): Promise<KnownContacts> {
  const wanted = [...wantedOf(people).values()];
  for (;;) {
    const rows = await lockOwners(store, tx, wanted);
    // The statement sees what was there when it began. While it waited for a lock, a contact may have lost an identity,
    // which changes its row; then the next statement sees what is there, and the contact is ours already.
    if (rows.some(({ changed }) => changed)) continue;
    const owners = new Map(rows.map(({ position, id }) => [wantedAt(wanted, position).key, id]));
    // Or an identity may have come, or a merge have taken a contact away and moved its identities to another one.
    const missing = wanted.filter(({ key }) => !owners.has(key));
    if (missing.length > 0 && (await haveOwners(store, tx, missing))) continue;
    const contacts = new Map(rows.map((row) => [row.id, row]));
    const ranks = mayMerge(people, owners, wanted.length) ? await ranksOf(store, tx, [...contacts.keys()]) : null;
    return {
      owners,
      contacts: [...contacts.values()].map((row) =>
        toStored(row, wantedAt(wanted, row.position).tenantId, ranks?.get(row.id)),
      ),
    };
  }
}

/**
 * First the identities, so that nobody else creates or joins them before the transaction's end; one that has a contact
 * and stands alone is safe with its contact's lock. Then the contacts.
 */
async function lockOwners(
  { schema }: Store,
  tx: Transaction,
  wanted: readonly Wanted[],
): Promise<readonly ContactRow[]> {
  return tx.query<ContactRow>(
    `with found as materialized (
       select t.*, i.contact_id, seen.ctid as version
       from ${WANTED}
         left join "${schema}".contact_identities i on ${OWNED}
         left join "${schema}".contacts seen on seen.id = i.contact_id
     ), numbers as (
       select distinct hashtextextended(
         '${schema}/' || tenant_id || E'\\x1f' || kind || E'\\x1f' || value, 0) as number
       from found where joins or contact_id is null
       order by number
     ), locked as materialized (
       select pg_advisory_xact_lock(number) from numbers
     )
     select found.position::integer as position, c.ctid <> found.version as changed,
       c.id, c.properties, c.property_times, c.first_seen_at, c.last_seen_at, c.created_at
     from found join "${schema}".contacts c on c.id = found.contact_id
     where (select count(*) from locked) >= 0
     order by c.id
     for update of c`,
    packWanted(wanted),
  );
}

async function haveOwners({ schema }: Store, tx: Transaction, wanted: readonly Wanted[]): Promise<boolean> {
  const found = await tx.query(
    `select 1 as found from ${WANTED} join "${schema}".contact_identities i on ${OWNED} limit 1`,
    packWanted(wanted),
  );
  return found.length > 0;
}

function packWanted(wanted: readonly Wanted[]): readonly string[] {
  return [
    packColumn(wanted, ({ tenantId }) => tenantId),
    packColumn(wanted, ({ kind }) => kind),
    packColumn(wanted, ({ value }) => value),
    packColumn(wanted, ({ joins }) => joins),
  ];
}

function wantedAt(wanted: readonly Wanted[], position: number): Wanted {
  return wanted[position - 1] as Wanted;
}

function wantedOf(people: readonly Person[]): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { tenantId, identities } of people) {
    for (const { kind, value } of identities) {
      const key = ownerKey(tenantId, { kind, value });
      const joins = identities.length > 1 || wanted.get(key)?.joins === true;
      wanted.set(key, { key, tenantId, kind, value, joins });
    }
  }
  return wanted;
}

/** Whether two contacts can meet, so that it matters what else they are known by. */
function mayMerge(people: readonly Person[], owners: ReadonlyMap<string, string>, wanted: number): boolean {
  if (owners.size > 0 && owners.size < wanted) return true;
  return people.some(
    ({ tenantId, identities }) => new Set(identities.map((one) => owners.get(ownerKey(tenantId, one)))).size > 1,
  );
}

async function ranksOf(
  { schema }: Store,
  tx: Transaction,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ contact_id: string; kind: string }>(
    `select i.contact_id, i.kind
     from ${unpackColumns([["contact_id", "text"]])} join "${schema}".contact_identities i using (contact_id)
     where i.kind in (${STRONG_KINDS.map((kind) => `'${kind}'`).join(", ")})`,
    [packColumn(contactIds, (id) => id)],
  );
  const ranks = new Map<string, number>();
  for (const { contact_id: id, kind } of rows) ranks.set(id, Math.min(rankOf(kind), ranks.get(id) ?? Infinity));
  return ranks;
}

function toStored(row: ContactRow, tenantId: string, rank = STRONG_KINDS.length): KnownContacts["contacts"][number] {
  return {
    id: row.id,
    tenantId,
    state: { properties: row.properties, times: row.property_times },
    firstSeenMs: row.first_seen_at?.getTime() ?? null,
    lastSeenMs: row.last_seen_at?.getTime() ?? null,
    createdMs: row.created_at.getTime(),
    rank,
  };
}
