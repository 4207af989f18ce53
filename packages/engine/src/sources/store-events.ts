import type { SourceEvent, Transaction } from "@hookline/core";
import { type CheckedInput, checkInput } from "../ingest/check-input.js";
import { type IngestParts, ingestWithin } from "../ingest/ingest.js";
import type { CheckedSource } from "./check-source.js";

/** Something that writes one event in a transaction and answers its id. */
export type EventWriter = (tx: Transaction) => Promise<string>;

/**
 * Checks a source's events before anything is written.
 *
 * @throws EngineError `invalid_event`, `invalid_identity`, `invalid_email` or `invalid_properties`
 */
export function prepareEvents(
  parts: IngestParts,
  { tenantId }: CheckedSource,
  events: readonly SourceEvent[],
): readonly EventWriter[] {
  return events.map((event) => {
    if (event.identities !== undefined) {
      const input = checkInput({ ...event, tenantId }, { ...parts, nowMs: parts.store.clock.now() });
      return (tx) => writeObserved(parts, tx, input);
    }
    const { identities: _none, ...rest } = event;
    return async (tx) => (await parts.outbox.publish({ ...rest, tenantId }, { transaction: tx })).id;
  });
}

/** An event that is known changes nothing, not even a contact; its neighbours are written all the same. */
async function writeObserved(parts: IngestParts, tx: Transaction, input: CheckedInput): Promise<string> {
  await tx.query("savepoint source_event");
  const { id, duplicate } = await ingestWithin(parts, tx, input);
  await tx.query(duplicate ? "rollback to savepoint source_event" : "release savepoint source_event");
  return id;
}
