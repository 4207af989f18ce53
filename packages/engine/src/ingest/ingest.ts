import {
  type CodedError,
  type IngestInput,
  type IngestOptions,
  type IngestResult,
  OUTBOX_REFUSALS,
  type Outbox,
  type Published,
  type Transaction,
} from "@hookline/core";
import { DEFAULTS } from "../defaults.js";
import { isEngineError } from "../errors.js";
import { resolveContact } from "../identity/resolve-contact.js";
import type { Store } from "../storage/store.js";
import { type CheckedInput, checkInput, type IngestRules } from "./check-input.js";
import { ingestBatch } from "./ingest-batch.js";

export interface IngestParts extends IngestRules {
  readonly store: Store;
  readonly outbox: Outbox;
}

/** What one call goes by. */
export interface IngestCall extends IngestParts, IngestOptions {}

/**
 * Resolves contacts and publishes events in order, up to 200 elements in one transaction.
 *
 * What is wrong with an element is its own result; a database or an outbox that fails is thrown, and a second call
 * with the same elements finds the stored ones to be duplicates.
 */
export async function ingestAll(parts: IngestCall, inputs: readonly IngestInput[]): Promise<readonly IngestResult[]> {
  const nowMs = parts.store.clock.now();
  const results: IngestResult[] = [];
  const checked: { readonly input: CheckedInput; readonly index: number }[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      checked.push({ input: checkInput(input, { ...parts, nowMs }), index });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      results[index] = { status: "rejected", code: error.code, message: error.message };
    }
  }
  for (const batch of batchesOf(checked)) {
    const stored = await ingestBatch(
      parts,
      batch.map(({ input }) => input),
    );
    for (const [place, { index }] of batch.entries()) results[index] = stored[place] as IngestResult;
  }
  return results;
}

/** Each identity that is new takes one of the server's locks until the commit, so these are bounded too. */
function batchesOf<Element extends { readonly input: CheckedInput }>(
  elements: readonly Element[],
): readonly Element[][] {
  const batches: Element[][] = [];
  let identities = 0;
  for (const element of elements) {
    const last = batches.at(-1);
    identities += element.input.identities.length;
    if (!last || last.length >= DEFAULTS.maxBatchElements || identities > DEFAULTS.maxBatchIdentities) {
      batches.push([element]);
      identities = element.input.identities.length;
    } else {
      last.push(element);
    }
  }
  return batches;
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
