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
  /** The least {@link rankOf} of its identities' kinds. */
  readonly rank: number;
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

export interface PlannedContact extends Omit<StoredContact, "rank"> {}

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
  rank: number;
  /** Place among the contacts that the batch makes; null for a stored one. */
  madeAt: number | null;
  touched: boolean;
  mergedInto: Planned | null;
}

/** Kinds that decide which contact survives, the strongest first. */
export const STRONG_KINDS: readonly string[] = ["external", "email"];

/** How strong a kind is: 0 for the strongest. */
export function rankOf(kind: string): number {
  const rank = STRONG_KINDS.indexOf(kind);
  return rank === -1 ? STRONG_KINDS.length : rank;
}

/** The key of one identity over all tenants. */
export function ownerKey(tenantId: string, identity: Identity): string {
  return `${tenantId}\u001f${identityKey(identity)}`;
}

export function planContacts(known: KnownContacts, nowMs: number): ContactPlan {
  const all: Planned[] = known.contacts.map((contact) => ({
    ...contact,
    madeAt: null,
    touched: false,
    mergedInto: null,
  }));
  const byId = new Map(all.map((contact) => [contact.id, contact]));
  const owners = new Map([...known.owners].map(([key, id]) => [key, byId.get(id) as Planned]));
  const identities: { readonly tenantId: string; readonly identity: Identity }[] = [];

  const ownersOf = (keys: readonly string[]): Planned[] => {
    const found = new Set<Planned>();
    for (const key of keys) {
      const owner = owners.get(key);
      if (owner) found.add(survivorOf(owner));
    }
    return [...found];
  };

  const make = ({ tenantId }: ResolveInput): Planned => {
    const made: Planned = {
      id: newId("con", nowMs),
      tenantId,
      state: { properties: {}, times: {} },
      firstSeenMs: null,
      lastSeenMs: null,
      createdMs: nowMs,
      rank: STRONG_KINDS.length,
      madeAt: all.length,
      touched: true,
      mergedInto: null,
    };
    all.push(made);
    return made;
  };

  return {
    resolve(input) {
      const keys = keysOf(input);
      const [survivor = make(input), ...losers] = ownersOf(keys).sort(bySurvival);
      observe(survivor, input);
      for (const loser of losers) absorb(survivor, loser);
      for (const [index, identity] of input.identities.entries()) {
        const key = keys[index] as string;
        if (owners.has(key)) continue;
        owners.set(key, survivor);
        identities.push({ tenantId: input.tenantId, identity });
        survivor.touched = true;
        survivor.rank = Math.min(survivor.rank, rankOf(identity.kind));
      }
      return { contactId: survivor.id, mergedIds: losers.map(({ id }) => id) };
    },

    ownerOf: (person) => ownersOf(keysOf(person))[0]?.id ?? null,

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

function keysOf({ tenantId, identities }: Pick<ResolveInput, "tenantId" | "identities">): readonly string[] {
  return identities.map((identity) => ownerKey(tenantId, identity));
}

/** A contact that learns nothing is not written. */
function observe(contact: Planned, { observed, observedAt }: ResolveInput): void {
  const observedMs = observedAt.getTime();
  const state = joinStates(contact.state, observed);
  const isEarlier = contact.firstSeenMs === null || observedMs < contact.firstSeenMs;
  const isLater = contact.lastSeenMs === null || observedMs > contact.lastSeenMs;
  if (state === contact.state && !isEarlier && !isLater) return;
  contact.state = state;
  if (isEarlier) contact.firstSeenMs = observedMs;
  if (isLater) contact.lastSeenMs = observedMs;
  contact.touched = true;
}

function absorb(survivor: Planned, loser: Planned): void {
  survivor.state = joinStates(survivor.state, loser.state);
  survivor.firstSeenMs = leastOf([survivor.firstSeenMs, loser.firstSeenMs]);
  survivor.lastSeenMs = greatestOf([survivor.lastSeenMs, loser.lastSeenMs]);
  survivor.createdMs = Math.min(survivor.createdMs, loser.createdMs);
  survivor.touched = true;
  survivor.rank = Math.min(survivor.rank, loser.rank);
  loser.mergedInto = survivor;
}

function survivorOf(contact: Planned): Planned {
  let survivor = contact;
  while (survivor.mergedInto) survivor = survivor.mergedInto;
  return survivor;
}

/** External before email before the rest, then the oldest. */
function bySurvival(a: Planned, b: Planned): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs;
  // Made in the same millisecond: by their order where it is known.
  if (a.madeAt !== null && b.madeAt !== null) return a.madeAt - b.madeAt;
  return a.id < b.id ? -1 : 1;
}

function leastOf(times: readonly (number | null)[]): number {
  return Math.min(...times.filter((time) => time !== null));
}

function greatestOf(times: readonly (number | null)[]): number {
  return Math.max(...times.filter((time) => time !== null));
}
