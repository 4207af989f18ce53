import type { IngestResult, PublishOutcome, Transaction } from "@hookline/core";
import { planContacts } from "../identity/contact-plan.js";
import { lockContacts } from "../identity/lock-contacts.js";
import { writeContacts } from "../identity/write-contacts.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { CheckedInput } from "./check-input.js";
import type { IngestCall, IngestParts } from "./ingest.js";

/** What a try has learned of an element: that another try would do no better. */
type Settled =
  | { readonly status: "duplicate"; readonly eventId: string }
  | { readonly status: "rejected"; readonly code: string; readonly message: string };

type Settlements = ReadonlyMap<CheckedInput, Settled>;

/**
 * Stores a batch in one transaction, with as many statements as for one element. The outcome is that of one element
 * after the other, in order.
 *
 * Contacts are resolved as if every event were new. An event that turns out to be known, or is refused, must have changed
 * nothing, so the transaction is taken back and done again without what it would have changed.
 */
export async function ingestBatch(
  parts: IngestCall,
  inputs: readonly CheckedInput[],
): Promise<readonly IngestResult[]> {
  let settled: Settlements = new Map();
  for (;;) {
    try {
      return await retryConflicts(() =>
        parts.store.database.transaction(async (tx) => {
          await parts.before?.(tx);
          return tryBatch(parts, tx, inputs, settled);
        }),
      );
    } catch (error) {
      if (!(error instanceof BatchToRedo)) throw error;
      settled = new Map([...settled, ...error.learned]);
    }
  }
}

/** Takes the transaction back. */
class BatchToRedo extends Error {
  override readonly name = "BatchToRedo";
  readonly learned: Settlements;

  constructor(learned: Settlements) {
    super("Some events of the batch are known or refused.");
    this.learned = learned;
  }
}

async function tryBatch(
  ...[{ store, outbox }, tx, inputs, settled]: [IngestParts, Transaction, readonly CheckedInput[], Settlements]
): Promise<readonly IngestResult[]> {
  const plan = planContacts(await lockContacts(store, tx, inputs), store.clock.now());
  const firsts = firstOfEachKey(inputs, settled);
  // In order: what a duplicate is told of its contact depends on what came before it.
  const contactIds = inputs.map((input) =>
    firsts.has(input) ? plan.resolve({ ...input, observedAt: input.timestamp }).contactId : plan.ownerOf(input),
  );
  const events = inputs.map((input, index) => toEvent(input, contactIds[index] ?? null));
  const published = await outbox.publishEach(
    events.filter((_, index) => !settled.has(inputs[index] as CheckedInput)),
    { transaction: tx },
  );
  const learned = new Map<CheckedInput, Settled>();
  let next = 0;
  const outcomes = inputs.map((input) => {
    const outcome = settled.get(input) ?? toOutcome(published[next++] as PublishOutcome);
    if (outcome.status !== "stored" && firsts.has(input)) learned.set(input, outcome);
    return outcome;
  });
  if (learned.size > 0) throw new BatchToRedo(learned);

  await writeContacts(store, tx, plan.changes());
  return outcomes.map((outcome, index) => toResult(outcome, contactIds[index] ?? null));
}

/** Of what is not settled, the elements that are the first with their key: the others can't be new. */
function firstOfEachKey(inputs: readonly CheckedInput[], settled: Settlements): ReadonlySet<CheckedInput> {
  const firsts = new Map<string, CheckedInput>();
  for (const input of inputs) {
    const key = `${input.tenantId}\u001f${input.idempotencyKey}`;
    if (!settled.has(input) && !firsts.has(key)) firsts.set(key, input);
  }
  return new Set(firsts.values());
}

function toEvent({ tenantId, type, timestamp, idempotencyKey, data }: CheckedInput, contactId: string | null) {
  const event = { tenantId, type, timestamp, idempotencyKey, data };
  return contactId === null ? event : { ...event, subjectId: contactId };
}

type Outcome = Settled | { readonly status: "stored"; readonly eventId: string };

function toOutcome(outcome: PublishOutcome): Outcome {
  if (outcome.status === "refused") return { status: "rejected", code: outcome.code, message: outcome.message };
  return { status: outcome.duplicate ? "duplicate" : "stored", eventId: outcome.id };
}

function toResult(outcome: Outcome, contactId: string | null): IngestResult {
  if (outcome.status === "rejected") return outcome;
  if (contactId !== null) return { ...outcome, contactId };
  const message = "An event with this key is known, and is about somebody else.";
  return { status: "rejected", code: "idempotency_key_reused", message };
}
