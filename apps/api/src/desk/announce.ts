import type { EventDefinition, Outbox, Transaction } from "@hookline/core";

export interface Announcement<Data> {
  readonly tenantId: string;
  /** One change can be several events, such as an update that closes a ticket. */
  readonly as: readonly EventDefinition<string, Data>[];
  readonly data: Data;
  /** What the events are about: those of one subject keep their order where an endpoint asks for it. */
  readonly subject: string;
}

/** Publishes what a change means, in the transaction of the change. */
export async function announce<Data>(
  outbox: Outbox,
  transaction: Transaction,
  { tenantId, as, data, subject }: Announcement<Data>,
): Promise<void> {
  const timestamp = new Date();
  await outbox.publishMany(
    as.map(({ type }) => ({ tenantId, type, data, timestamp, orderingKey: subject })),
    { transaction },
  );
}
