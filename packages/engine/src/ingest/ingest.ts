import {
  type CodedError,
  type IngestInput,
  type IngestResult,
  OUTBOX_REFUSALS,
  type Outbox,
  type Published,
  type Transaction,
} from "@hookline/core";
import { EngineError, isEngineError } from "../errors.js";
import { resolveContact } from "../identity/resolve-contact.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { Store } from "../storage/store.js";
import { type CheckedInput, checkInput, type IngestRules } from "./check-input.js";

export interface IngestParts extends IngestRules {
  readonly store: Store;
  readonly outbox: Outbox;
}

/**
 * Resolves contacts and publishes events, one transaction for each element, in order.
 *
 * What is wrong with an element is its own result; a database or an outbox that fails is thrown, and a second call
 * with the same elements finds the stored ones to be duplicates.
 */
export async function ingestAll(parts: IngestParts, inputs: readonly IngestInput[]): Promise<readonly IngestResult[]> {
  const results: IngestResult[] = [];
  for (const input of inputs) {
    try {
      const checked = checkInput(input, { ...parts, nowMs: parts.store.clock.now() });
      results.push(await retryConflicts(() => ingestOne(parts, checked)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      results.push({ status: "rejected", code: error.code, message: error.message });
    }
  }
  return results;
}

/** True for an error that says what is wrong with an event: another try would change nothing. */
export function isRefusal(error: unknown): error is CodedError {
  return isEngineError(error) || (error instanceof Error && "code" in error && REFUSALS.has(error.code));
}

const REFUSALS: ReadonlySet<unknown> = new Set(OUTBOX_REFUSALS);

/** Resolves the contact and publishes the event in the caller's transaction, which a known event must not commit. */
export async function ingestWithin(
  { store, outbox }: IngestParts,
  tx: Transaction,
  input: CheckedInput,
): Promise<Published & { readonly contactId: string }> {
  const { tenantId, type, timestamp, idempotencyKey, data } = input;
  const { contactId } = await resolveContact(store, tx, { ...input, observedAt: timestamp });
  const published = await outbox.publish(
    { tenantId, type, timestamp, idempotencyKey, data, subjectId: contactId },
    { transaction: tx },
  );
  return { ...published, contactId };
}

async function ingestOne(parts: IngestParts, input: CheckedInput): Promise<IngestResult> {
  const { store } = parts;
  try {
    return await store.database.transaction(async (tx) => {
      const published = await ingestWithin(parts, tx, input);
      if (published.duplicate) throw new KnownEvent(published);
      return { status: "stored", eventId: published.id, contactId: published.contactId };
    });
  } catch (error) {
    if (!(error instanceof KnownEvent)) throw error;
    return { status: "duplicate", eventId: error.published.id, contactId: await contactOf(store, input) };
  }
}

/** Takes the transaction back: an event that is known changes nothing, not even a contact. */
class KnownEvent extends Error {
  readonly published: Published;

  constructor(published: Published) {
    super("This event is known.");
    this.published = published;
  }
}

async function contactOf({ database, schema }: Store, { tenantId, identities }: CheckedInput): Promise<string> {
  const [owner] = await database.query<{ contact_id: string }>(
    `select i.contact_id
     from json_to_recordset($2::text::json) as w (kind text, value text)
     join "${schema}".contact_identities i on i.tenant_id = $1 and i.kind = w.kind and i.value = w.value
     limit 1`,
    [tenantId, JSON.stringify(identities)],
  );
  if (!owner) {
    throw new EngineError("idempotency_key_reused", "An event with this key is known, and is about somebody else.");
  }
  return owner.contact_id;
}
