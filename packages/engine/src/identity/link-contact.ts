import type { Identity, Transaction } from "@hookline/core";
import { checkProperties, checkTenantId, checkTimestamp, type IngestRules } from "../ingest/check-input.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import { normaliseIdentities } from "./identity.js";
import { resolveContact } from "./resolve-contact.js";

export interface LinkInput {
  readonly tenantId: string;
  /** Two or more that belong to one person; contacts that have one of them become one. */
  readonly identities: readonly Identity[];
  readonly contactProperties?: Readonly<Record<string, unknown>>;
  /** When this was observed; now when absent. */
  readonly timestamp?: Date;
}

export interface Linked {
  readonly contactId: string;
  /** Ids that are aliases of `contactId` from now on. */
  readonly mergedIds: readonly string[];
}

/**
 * Binds identities to one contact without an event of its own. With `transaction`, within the caller's.
 *
 * @throws EngineError `invalid_identity`, `invalid_email`, `invalid_properties`, `invalid_event` (tenant or timestamp)
 */
export type LinkContact = (input: LinkInput, options?: { readonly transaction?: Transaction }) => Promise<Linked>;

export function createLinkContact({ store, ...rules }: IngestRules & { store: Store }): LinkContact {
  return async (input, { transaction } = {}) => {
    const nowMs = store.clock.now();
    const observedAt = checkTimestamp(input.timestamp ?? new Date(nowMs), nowMs);
    const checked = {
      tenantId: checkTenantId(input.tenantId),
      identities: normaliseIdentities(input.identities, rules.identityKinds),
      observed: checkProperties(input.contactProperties, observedAt, rules),
      observedAt,
    };
    const link = async (tx: Transaction): Promise<Linked> => {
      const { contactId, mergedIds } = await resolveContact(store, tx, checked);
      return { contactId, mergedIds };
    };
    return transaction ? link(transaction) : retryConflicts(() => store.database.transaction(link));
  };
}
