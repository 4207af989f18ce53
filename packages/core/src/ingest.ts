import type { Transaction } from "./transaction.js";

/** One of the keys by which a person is known. `external`, `email` and `anonymous` always exist; a connector adds its own. */
export interface Identity {
  readonly kind: string;
  readonly value: string;
}

/** Something observed on a platform: whose it is, what happened, what it says of the person. */
export interface IngestInput {
  readonly tenantId: string;
  readonly type: string;
  /** When it happened, not when it arrived. */
  readonly timestamp: Date;
  /** Deterministic for one occurrence: a second delivery of it is a duplicate, a second occurrence is not. */
  readonly idempotencyKey: string;
  /** At least one. Contacts that share one of them become one. */
  readonly identities: readonly Identity[];
  readonly data: Readonly<Record<string, unknown>>;
  /** Merged into the contact's; keys that a connector declares merge one level deep; null is never written. */
  readonly contactProperties?: Readonly<Record<string, unknown>>;
}

export interface IngestOptions {
  /**
   * Called first in each transaction that stores, of which there are several for a long list, and again when one has to
   * be repeated. Where it throws, that transaction stores nothing and the error is passed on.
   */
  readonly before?: (transaction: Transaction) => Promise<void>;
}

/** What became of one {@link IngestInput}. A refusal harms no neighbour in the same batch. */
export type IngestResult =
  | { readonly status: "stored" | "duplicate"; readonly eventId: string; readonly contactId: string }
  | { readonly status: "rejected"; readonly code: string; readonly message: string };
