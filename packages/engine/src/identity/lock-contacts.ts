import type { Transaction } from "@hookline/core";
import type { Store } from "../storage/store.js";
import { type KnownContacts, ownerKey, type ResolveInput, STRONG_KINDS } from "./contact-plan.js";
import type { PropertyState } from "./property-state.js";

interface ContactRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly properties: Record<string, unknown>;
  readonly property_times: PropertyState["times"];
  readonly first_seen_at: Date | null;
  readonly last_seen_at: Date | null;
  readonly created_at: Date;
}

interface OwnedRow extends ContactRow {
  /** Of the identity that belongs to it. */
  readonly key: string;
}

type Person = Pick<ResolveInput, "tenantId" | "identities">;

interface Wanted {
  readonly key: string;
  readonly tenant_id: string;
  readonly kind: string;
  readonly value: string;
  /** Whether it came together with another identity: then two contacts may become one. */
  readonly joins: boolean;
}

const WANTED =
  "json_to_recordset($1::text::json) as w (key text, tenant_id text, kind text, value text, joins boolean)";
const OWNED = "i.tenant_id = w.tenant_id and i.kind = w.kind and i.value = w.value";

/**
 * The contacts of these people, locked until the transaction ends; a number of statements that does not depend on how
 * many they are.
 *
 * Safe beside others that do the same: who may create or join identities holds their locks until commit, and both
 * identities and contacts are locked in one order. A deadlock over more than one merge is possible and is answered by
 * Postgres with an error; `retryConflicts` around the transaction does the work again.
 */
export async function lockContacts(store: Store, tx: Transaction, people: readonly Person[]): Promise<KnownContacts> {
  const { schema } = store;
  const wanted = wantedOf(people);
  const params = [JSON.stringify([...wanted.values()])];
  for (;;) {
    await lockIdentities(store, tx, params);
    const rows = await tx.query<OwnedRow>(
      `select w.key, c.id, c.tenant_id, c.properties, c.property_times, c.first_seen_at, c.last_seen_at, c.created_at
       from ${WANTED}
       join "${schema}".contact_identities i on ${OWNED}
       join "${schema}".contacts c on c.id = i.contact_id
       order by c.id
       for update of c`,
      params,
    );
    const owners = new Map(rows.map(({ key, id }) => [key, id]));
    // While that waited for a lock, a merge may have taken a contact away and moved its identities to another one; one
    // that is still there has kept its own.
    const missing = [...wanted.values()].filter(({ key }) => !owners.has(key));
    if (missing.length > 0 && (await haveOwners(store, tx, missing))) continue;
    const contacts = [...new Map(rows.map((row) => [row.id, row])).values()];
    const strong = mayMerge(people, owners, wanted.size) ? await strongKinds(store, tx, contacts) : new Map();
    return { owners, contacts: contacts.map((row) => toStored(row, strong.get(row.id) ?? new Set())) };
  }
}

async function haveOwners({ schema }: Store, tx: Transaction, wanted: readonly Wanted[]): Promise<boolean> {
  const found = await tx.query(
    `select 1 as found from ${WANTED} join "${schema}".contact_identities i on ${OWNED} limit 1`,
    [JSON.stringify(wanted)],
  );
  return found.length > 0;
}

function wantedOf(people: readonly Person[]): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { tenantId, identities } of people) {
    for (const identity of identities) {
      const key = ownerKey(tenantId, identity);
      const joins = identities.length > 1 || wanted.get(key)?.joins === true;
      wanted.set(key, { key, tenant_id: tenantId, ...identity, joins });
    }
  }
  return wanted;
}

/** Nobody else creates or joins these identities before the transaction's end. One that has a contact and stands alone is safe with its contact's lock. */
async function lockIdentities({ schema }: Store, tx: Transaction, params: readonly string[]): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(locks.number)
     from (
       select distinct hashtextextended($2 || '/' || w.key, 0) as number
       from ${WANTED} left join "${schema}".contact_identities i on ${OWNED}
       where w.joins or i.contact_id is null
       order by number
     ) as locks`,
    [...params, schema],
  );
}

/** Whether two contacts can meet, so that it matters what else they are known by. */
function mayMerge(people: readonly Person[], owners: ReadonlyMap<string, string>, wanted: number): boolean {
  if (owners.size > 0 && owners.size < wanted) return true;
  return people.some(
    ({ tenantId, identities }) => new Set(identities.map((one) => owners.get(ownerKey(tenantId, one)))).size > 1,
  );
}

async function strongKinds(
  { schema }: Store,
  tx: Transaction,
  contacts: readonly ContactRow[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rows = await tx.query<{ contact_id: string; kind: string }>(
    `select distinct contact_id, kind
     from "${schema}".contact_identities
     where kind in (${STRONG_KINDS.map((kind) => `'${kind}'`).join(", ")})
       and contact_id in (select json_array_elements_text($1::text::json))`,
    [JSON.stringify(contacts.map(({ id }) => id))],
  );
  const kinds = new Map<string, Set<string>>();
  for (const { contact_id: id, kind } of rows) kinds.set(id, (kinds.get(id) ?? new Set()).add(kind));
  return kinds;
}

function toStored(row: ContactRow, strong: ReadonlySet<string>): KnownContacts["contacts"][number] {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    state: { properties: row.properties, times: row.property_times },
    firstSeenMs: row.first_seen_at?.getTime() ?? null,
    lastSeenMs: row.last_seen_at?.getTime() ?? null,
    createdMs: row.created_at.getTime(),
    strongKinds: strong,
  };
}
