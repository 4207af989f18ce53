import { type Identity, newId, type Transaction } from "@hookline/core";
import type { Store } from "../storage/store.js";
import { identityKey } from "./identity.js";
import { joinStates, type PropertyState } from "./property-state.js";

export interface ResolveInput {
  readonly tenantId: string;
  /** Normalised, in the order of `normaliseIdentities`. */
  readonly identities: readonly Identity[];
  readonly observed: PropertyState;
  readonly observedAt: Date;
}

export interface ResolvedContact {
  readonly contactId: string;
  readonly created: boolean;
  /** The ids that are aliases of `contactId` from now on. */
  readonly mergedIds: readonly string[];
}

interface ContactRow {
  readonly id: string;
  readonly properties: Record<string, unknown>;
  readonly property_times: PropertyState["times"];
  readonly created_at: Date;
}

/**
 * The contact behind some identities, made or merged where needed, with what was observed of it written.
 *
 * Safe beside others that resolve at the same time: whoever may create an identity holds its lock until commit, and
 * contacts are locked in the order of their ids. A deadlock over more than one merge is possible and is answered by
 * Postgres with an error; `retryConflicts` around the transaction does the work again.
 */
export async function resolveContact(store: Store, tx: Transaction, input: ResolveInput): Promise<ResolvedContact> {
  await lockIdentities(store, tx, input);
  const { contacts, known } = await lockContacts(store, tx, input);
  const [survivor, ...losers] = contacts.length > 1 ? await bySurvival(store, tx, contacts) : contacts;
  const contactId = survivor?.id ?? newId("con", store.clock.now());
  const mergedIds = losers.map(({ id }) => id);

  if (survivor) {
    const state = [survivor, ...losers].map(stateOf).reduce(joinStates, input.observed);
    await updateContact(store, tx, { ...input, contactId, mergedIds, state });
  } else {
    await insertContact(store, tx, { ...input, contactId });
  }
  if (mergedIds.length > 0) await moveIdentities(store, tx, { tenantId: input.tenantId, contactId, mergedIds });
  const missing = input.identities.filter((identity) => !known.has(identityKey(identity)));
  if (missing.length > 0) await insertIdentities(store, tx, { ...input, contactId, identities: missing });
  return { contactId, created: !survivor, mergedIds };
}

function stateOf({ properties, property_times }: ContactRow): PropertyState {
  return { properties, times: property_times };
}

async function lockIdentities(store: Store, tx: Transaction, { tenantId, identities }: ResolveInput): Promise<void> {
  const names = identities.map((identity) => [store.schema, tenantId, identity.kind, identity.value].join("/"));
  await tx.query(
    `select pg_advisory_xact_lock(locks.number)
     from (
       select distinct hashtextextended(name, 0) as number
       from json_array_elements_text($1::text::json) as name
       order by number
     ) as locks`,
    [JSON.stringify(names)],
  );
}

async function lockContacts(
  { schema }: Store,
  tx: Transaction,
  { tenantId, identities }: ResolveInput,
): Promise<{ contacts: readonly ContactRow[]; known: ReadonlySet<string> }> {
  const wanted = [tenantId, JSON.stringify(identities)];
  for (;;) {
    const contacts = await tx.query<ContactRow>(
      `select id, properties, property_times, created_at
       from "${schema}".contacts
       where id in (select i.contact_id
                    from json_to_recordset($2::text::json) as w (kind text, value text)
                    join "${schema}".contact_identities i
                      on i.tenant_id = $1 and i.kind = w.kind and i.value = w.value)
       order by id
       for update`,
      wanted,
    );
    // While that waited for a lock, a merge may have taken a contact away and moved its identities to another one.
    const owners = await tx.query<Identity & { contact_id: string }>(
      `select i.kind, i.value, i.contact_id
       from json_to_recordset($2::text::json) as w (kind text, value text)
       join "${schema}".contact_identities i on i.tenant_id = $1 and i.kind = w.kind and i.value = w.value`,
      wanted,
    );
    const locked = new Set(contacts.map(({ id }) => id));
    const owning = new Set(owners.map(({ contact_id }) => contact_id));
    if (owning.size === locked.size && [...owning].every((id) => locked.has(id))) {
      return { contacts, known: new Set(owners.map(identityKey)) };
    }
  }
}

/** External before email before the rest, then the oldest. */
async function bySurvival(
  { schema }: Store,
  tx: Transaction,
  contacts: readonly ContactRow[],
): Promise<readonly ContactRow[]> {
  const strong = await tx.query<{ contact_id: string; kind: string }>(
    `select distinct contact_id, kind
     from "${schema}".contact_identities
     where kind in ('external', 'email')
       and contact_id in (select json_array_elements_text($1::text::json))`,
    [JSON.stringify(contacts.map(({ id }) => id))],
  );
  const rankOf = (id: string) => {
    const kinds = strong.filter(({ contact_id }) => contact_id === id).map(({ kind }) => kind);
    return kinds.includes("external") ? 0 : kinds.includes("email") ? 1 : 2;
  };
  return [...contacts].sort(
    (a, b) => rankOf(a.id) - rankOf(b.id) || a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1),
  );
}

async function insertContact(
  { schema, clock }: Store,
  tx: Transaction,
  { contactId, tenantId, observed, observedAt }: ResolveInput & { contactId: string },
): Promise<void> {
  await tx.query(
    `insert into "${schema}".contacts
       (id, tenant_id, properties, property_times, first_seen_at, last_seen_at, created_at, updated_at)
     values ($1, $2, $3::text::jsonb, $4::text::jsonb, $5, $5, $6, $6)`,
    [
      contactId,
      tenantId,
      JSON.stringify(observed.properties),
      JSON.stringify(observed.times),
      observedAt,
      new Date(clock.now()),
    ],
  );
}

async function updateContact(
  { schema, clock }: Store,
  tx: Transaction,
  input: { contactId: string; mergedIds: readonly string[]; state: PropertyState; observedAt: Date },
): Promise<void> {
  await tx.query(
    `update "${schema}".contacts as c
     set properties = $2::text::jsonb,
         property_times = $3::text::jsonb,
         first_seen_at = least(c.first_seen_at, merged.first_seen_at, $4::timestamptz),
         last_seen_at = greatest(c.last_seen_at, merged.last_seen_at, $4::timestamptz),
         created_at = least(c.created_at, merged.created_at),
         updated_at = $5
     from (select min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at, min(created_at) as created_at
           from "${schema}".contacts
           where id in (select json_array_elements_text($6::text::json))) as merged
     where c.id = $1`,
    [
      input.contactId,
      JSON.stringify(input.state.properties),
      JSON.stringify(input.state.times),
      input.observedAt,
      new Date(clock.now()),
      JSON.stringify(input.mergedIds),
    ],
  );
}

async function moveIdentities(
  { schema, clock }: Store,
  tx: Transaction,
  { tenantId, contactId, mergedIds }: { tenantId: string; contactId: string; mergedIds: readonly string[] },
): Promise<void> {
  const params = [contactId, JSON.stringify(mergedIds)];
  const merged = "(select json_array_elements_text($2::text::json))";
  await tx.query(`update "${schema}".contact_identities set contact_id = $1 where contact_id in ${merged}`, params);
  await tx.query(`update "${schema}".contact_aliases set contact_id = $1 where contact_id in ${merged}`, params);
  await tx.query(
    `insert into "${schema}".contact_aliases (alias_id, tenant_id, contact_id, merged_at)
     select id, $3, $1, $4 from "${schema}".contacts where id in ${merged}`,
    [...params, tenantId, new Date(clock.now())],
  );
  await tx.query(`delete from "${schema}".contacts where id in (select json_array_elements_text($1::text::json))`, [
    JSON.stringify(mergedIds),
  ]);
}

async function insertIdentities(
  { schema, clock }: Store,
  tx: Transaction,
  input: { contactId: string; tenantId: string; identities: readonly Identity[] },
): Promise<void> {
  await tx.query(
    `insert into "${schema}".contact_identities (tenant_id, kind, value, contact_id, created_at)
     select $1, w.kind, w.value, $2, $3 from json_to_recordset($4::text::json) as w (kind text, value text)`,
    [input.tenantId, input.contactId, new Date(clock.now()), JSON.stringify(input.identities)],
  );
}
