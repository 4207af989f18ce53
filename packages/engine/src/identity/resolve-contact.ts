import type { Transaction } from "@hookline/core";
import type { Store } from "../storage/store.js";
import { planContacts, type ResolvedContact, type ResolveInput } from "./contact-plan.js";
import { lockContacts } from "./lock-contacts.js";
import { writeContacts } from "./write-contacts.js";

/** The contact behind some identities, made or merged where needed, with what was observed of it written. */
export async function resolveContact(store: Store, tx: Transaction, input: ResolveInput): Promise<ResolvedContact> {
  const plan = planContacts(await lockContacts(store, tx, [input]), store.clock.now());
  const resolved = plan.resolve(input);
  await writeContacts(store, tx, plan.changes());
  return resolved;
}
