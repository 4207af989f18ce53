import type { EventDefinition, Transaction } from "@hookline/core";
import type { DeskStore } from "./desk-store.js";

export interface Announcement<Data> {
  readonly tenantId: string;
  /** One change can be several events, such as an update that closes a ticket. */
  readonly as: readonly EventDefinition<string, Data>[];
  readonly data: Data;
  /** What the events are about: those of one subject keep their order where an endpoint asks for it. */
  readonly subject: string;
}

/** Publishes what a change means, in the transaction of the change: about the contact whose the changed thing is. */
export async function announce<Data>(
  { outbox, schema }: Pick<DeskStore, "outbox" | "schema">,
  transaction: Transaction,
  { tenantId, as, data, subject }: Announcement<Data>,
): Promise<void> {
  const timestamp = new Date();
  const [owner] = await transaction.query<{ contact_id: string }>(
    `SELECT contact_id FROM ${schema}.people WHERE subject = $1`,
    [subject],
  );
  const about = owner === undefined ? {} : { subjectId: owner.contact_id };
  await outbox.publishMany(
    as.map(({ type }) => ({ tenantId, type, data, timestamp, orderingKey: subject, ...about })),
    { transaction },
  );
}
