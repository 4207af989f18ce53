import { type Identity, newId } from "@hookline/core";
import { identityKey } from "./identity.js";
import { joinStates, type PropertyState } from "./property-state.js";

/** What one event says of a person. */
export interface ResolveInput {
  readonly tenantId: string;
  /** Normalised, in the order of `normaliseIdentities`. */
  readonly identities: readonly Identity[];
  readonly observed: PropertyState;
  readonly observedAt: Date;
}

export interface ResolvedContact {
  readonly contactId: string;
  /** The ids that are aliases of `contactId` from now on. */
  readonly mergedIds: readonly string[];
}

/** A contact as it is stored, locked until the transaction's end. */
export interface StoredContact {
  readonly id: string;
  readonly tenantId: string;
  readonly state: PropertyState;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  readonly createdMs: number;
  /** The kinds among its identities by which survival is decided. */
  readonly strongKinds: ReadonlySet<string>;
}

/** What is stored of the people that a batch is about. */
export interface KnownContacts {
  readonly contacts: readonly StoredContact[];
  /** Contact ids by {@link ownerKey}. */
  readonly owners: ReadonlyMap<string, string>;
}

export interface OwnedIdentity extends Identity {
  readonly tenantId: string;
  readonly contactId: string;
}

/** What a batch changes, as the rows that come out of it. */
export interface ContactChanges {
  readonly inserted: readonly PlannedContact[];
  readonly updated: readonly PlannedContact[];
  readonly merged: readonly { readonly id: string; readonly tenantId: string; readonly contactId: string }[];
  /** The merged ones of which there are rows. */
  readonly deletedIds: readonly string[];
  readonly identities: readonly OwnedIdentity[];
}

export interface PlannedContact extends Omit<StoredContact, "strongKinds"> {}

/** Resolves events one after the other in memory, so that a batch of them is one set of changes. */
export interface ContactPlan {
  /** What the event makes of its contacts; the outcome is that of the same call on the database. */
  resolve(input: ResolveInput): ResolvedContact;
  /** The contact of the first of the identities that has one by now; null when none has. */
  ownerOf(person: Pick<ResolveInput, "tenantId" | "identities">): string | null;
  changes(): ContactChanges;
}

interface Planned {
  id: string;
  tenantId: string;
  state: PropertyState;
  firstSeenMs: number | null;
  lastSeenMs: number | null;
  createdMs: number;
  strongKinds: Set<string>;
  /** Place among the contacts that the batch makes; null for a stored one. */
  madeAt: number | null;
  touched: boolean;
  mergedInto: Planned | null;
}

/** Kinds that decide which contact survives, the strongest first. */
export const STRONG_KINDS = ["external", "email"] as const;

/** The key of one identity over all tenants. */
export function ownerKey(tenantId: string, identity: Identity): string {
  return `${tenantId}\u001f${identityKey(identity)}`;
}

export function planContacts(known: KnownContacts, nowMs: number): ContactPlan {
  const all: Planned[] = known.contacts.map((contact) => ({
    ...contact,
    strongKinds: new Set(contact.strongKinds),
    madeAt: null,
    touched: false,
    mergedInto: null,
  }));
  const byId = new Map(all.map((contact) => [contact.id, contact]));
  const owners = new Map([...known.owners].map(([key, id]) => [key, byId.get(id) as Planned]));
  const identities: { readonly tenantId: string; readonly identity: Identity }[] = [];

  const ownersOf = ({ tenantId, identities: wanted }: Pick<ResolveInput, "tenantId" | "identities">): Planned[] => {
    const found = wanted.map((identity) => owners.get(ownerKey(tenantId, identity)));
    return [...new Set(found.filter((owner) => owner !== undefined).map(survivorOf))];
  };

  const make = ({ tenantId }: ResolveInput): Planned => {
    const made: Planned = {
      id: newId("con", nowMs),
      tenantId,
      state: { properties: {}, times: {} },
      firstSeenMs: null,
      lastSeenMs: null,
      createdMs: nowMs,
      strongKinds: new Set(),
      madeAt: all.length,
      touched: true,
      mergedInto: null,
    };
    all.push(made);
    return made;
  };

  return {
    resolve(input) {
      const [survivor = make(input), ...losers] = ownersOf(input).sort(bySurvival);
      const observedMs = input.observedAt.getTime();
      survivor.state = [survivor, ...losers].map(({ state }) => state).reduce(joinStates, input.observed);
      survivor.firstSeenMs = leastOf([observedMs, survivor.firstSeenMs, ...losers.map((one) => one.firstSeenMs)]);
      survivor.lastSeenMs = greatestOf([observedMs, survivor.lastSeenMs, ...losers.map((one) => one.lastSeenMs)]);
      survivor.createdMs = Math.min(survivor.createdMs, ...losers.map((one) => one.createdMs));
      survivor.touched = true;
      for (const loser of losers) {
        loser.mergedInto = survivor;
        for (const kind of loser.strongKinds) survivor.strongKinds.add(kind);
      }
      for (const identity of input.identities) {
        const key = ownerKey(input.tenantId, identity);
        if (owners.has(key)) continue;
        owners.set(key, survivor);
        identities.push({ tenantId: input.tenantId, identity });
        survivor.strongKinds.add(identity.kind);
      }
      return { contactId: survivor.id, mergedIds: losers.map(({ id }) => id) };
    },

    ownerOf: (person) => ownersOf(person)[0]?.id ?? null,

    changes() {
      const [kept, merged] = [all.filter((one) => !one.mergedInto), all.filter((one) => one.mergedInto)];
      return {
        inserted: kept.filter(({ madeAt }) => madeAt !== null),
        updated: kept.filter(({ madeAt, touched }) => madeAt === null && touched),
        merged: merged.map((one) => ({ id: one.id, tenantId: one.tenantId, contactId: survivorOf(one).id })),
        deletedIds: merged.filter(({ madeAt }) => madeAt === null).map(({ id }) => id),
        identities: identities.map(({ tenantId, identity }) => ({
          ...identity,
          tenantId,
          contactId: survivorOf(owners.get(ownerKey(tenantId, identity)) as Planned).id,
        })),
      };
    },
  };
}

function survivorOf(contact: Planned): Planned {
  let survivor = contact;
  while (survivor.mergedInto) survivor = survivor.mergedInto;
  return survivor;
}

/** External before email before the rest, then the oldest. */
function bySurvival(a: Planned, b: Planned): number {
  const byKind = rankOf(a) - rankOf(b);
  if (byKind !== 0) return byKind;
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs;
  // Made in the same millisecond: by their order where it is known.
  if (a.madeAt !== null && b.madeAt !== null) return a.madeAt - b.madeAt;
  return a.id < b.id ? -1 : 1;
}

function rankOf({ strongKinds }: Planned): number {
  const rank = STRONG_KINDS.findIndex((kind) => strongKinds.has(kind));
  return rank === -1 ? STRONG_KINDS.length : rank;
}

function leastOf(times: readonly (number | null)[]): number {
  return Math.min(...times.filter((time) => time !== null));
}

function greatestOf(times: readonly (number | null)[]): number {
  return Math.max(...times.filter((time) => time !== null));
}
