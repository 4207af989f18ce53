import type { IngestResult, PublishOutcome, Transaction } from "@hookline/core";
import { planContacts } from "../identity/contact-plan.js";
import { lockContacts } from "../identity/lock-contacts.js";
import { writeContacts } from "../identity/write-contacts.js";
import { retryConflicts } from "../storage/conflicts.js";
import type { CheckedInput } from "./check-input.js";
import type { IngestParts } from "./ingest.js";

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
  parts: IngestParts,
  inputs: readonly CheckedInput[],
): Promise<readonly IngestResult[]> {
  let settled: Settlements = new Map();
  for (;;) {
    try {
      return await retryConflicts(() => parts.store.database.transaction((tx) => tryBatch(parts, tx, inputs, settled)));
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
  const firsts = firstOfEachKey(inputs.filter((input) => !settled.has(input)));
  // In order: what a duplicate is told of its contact depends on what came before it.
  const contactIds = new Map(
    inputs.map((input) => [
      input,
      firsts.has(input) ? plan.resolve({ ...input, observedAt: input.timestamp }).contactId : plan.ownerOf(input),
    ]),
  );
  const open = inputs.filter((input) => !settled.has(input));
  const published = await outbox.publishEach(
    open.map((input) => toEvent(input, contactIds.get(input) ?? null)),
    { transaction: tx },
  );
  const outcomes = new Map(open.map((input, index) => [input, toSettled(published[index] as PublishOutcome)]));
  const learned = [...firsts].flatMap((input) => {
    const outcome = outcomes.get(input);
    return outcome && outcome.status !== "stored" ? [[input, outcome] as const] : [];
  });
  if (learned.length > 0) throw new BatchToRedo(new Map(learned));

  await writeContacts(store, tx, plan.changes());
  return inputs.map((input) =>
    toResult(settled.get(input) ?? (outcomes.get(input) as Outcome), contactIds.get(input) ?? null),
  );
}

/** Which elements are the first with their key: the others can't be new. */
function firstOfEachKey(inputs: readonly CheckedInput[]): ReadonlySet<CheckedInput> {
  const firsts = new Map<string, CheckedInput>();
  for (const input of inputs) {
    const key = JSON.stringify([input.tenantId, input.idempotencyKey]);
    if (!firsts.has(key)) firsts.set(key, input);
  }
  return new Set(firsts.values());
}

function toEvent({ tenantId, type, timestamp, idempotencyKey, data }: CheckedInput, contactId: string | null) {
  const event = { tenantId, type, timestamp, idempotencyKey, data };
  return contactId === null ? event : { ...event, subjectId: contactId };
}

type Outcome = Settled | { readonly status: "stored"; readonly eventId: string };

function toSettled(outcome: PublishOutcome): Outcome {
  if (outcome.status === "refused") return { status: "rejected", code: outcome.code, message: outcome.message };
  return { status: outcome.duplicate ? "duplicate" : "stored", eventId: outcome.id };
}

function toResult(outcome: Outcome, contactId: string | null): IngestResult {
  if (outcome.status === "rejected") return outcome;
  if (contactId !== null) return { ...outcome, contactId };
  const message = "An event with this key is known, and is about somebody else.";
  return { status: "rejected", code: "idempotency_key_reused", message };
}
