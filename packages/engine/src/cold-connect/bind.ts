import { type Destination, defineDestination, type Transaction } from "@hookline/core";
import { normaliseIdentities } from "../identity/identity.js";
import { resolveContact } from "../identity/resolve-contact.js";
import { checkProperties } from "../ingest/check-input.js";
import type { Binding, Bound, ResolvedOptions } from "./options.js";

export interface BindResult {
  readonly contactId: string;
  /** The linked event's. */
  readonly eventId: string;
}

/** Makes one contact of both identities, publishes the linked event and sends `afterBind`, all in one transaction. */
export async function bindIn(
  tx: Transaction,
  options: ResolvedOptions,
  { binding, key }: { readonly binding: Binding; readonly key: string },
): Promise<BindResult> {
  const { store, outbox, connectorId, identityKind, linkedEvent } = options;
  const { tenantId, platformUserId, email } = binding;
  const observedAt = new Date(store.clock.now());
  const identityKinds = new Set([identityKind, "email"]);
  const { eventProperties = {}, contactProperties } = options.buildIngest(binding);

  const { contactId } = await resolveContact(store, tx, {
    tenantId,
    identities: normaliseIdentities(
      [
        { kind: identityKind, value: options.platformKey(platformUserId) },
        { kind: "email", value: email },
      ],
      identityKinds,
    ),
    observed: checkProperties(contactProperties, observedAt, {
      identityKinds,
      mergedProperties: options.mergedProperties,
    }),
    observedAt,
  });
  const idempotencyKey = `${connectorId}.linked:${key}`;
  const { id: eventId } = await outbox.publish(
    {
      tenantId,
      type: linkedEvent,
      timestamp: observedAt,
      subjectId: contactId,
      idempotencyKey,
      data: { ...eventProperties, [options.identifyPropKey]: platformUserId },
    },
    { transaction: tx },
  );
  const bound: Bound = { ...binding, contactId };
  await outbox.send(
    // The target is stored encrypted, and it is where the address stands; the data is not.
    { tenantId, destination: afterBindId(connectorId), target: bound, data: { contactId }, idempotencyKey },
    { transaction: tx },
  );
  return { contactId, eventId };
}

/** `afterBind` as a destination: retried until it succeeds once or answers `dead`, over crashes too. */
export function createAfterBindDestination({ connectorId, afterBind }: ResolvedOptions): Destination {
  return defineDestination<Bound>({
    id: afterBindId(connectorId),
    plan: (_event, { endpoint }) => ({
      kind: "run",
      async run() {
        try {
          return (await afterBind(endpoint.target)) ?? { outcome: "delivered" };
        } catch (error) {
          return { outcome: "retry", reason: error instanceof Error ? error.message : String(error) };
        }
      },
    }),
  }) as Destination;
}

function afterBindId(connectorId: string): string {
  return `${connectorId}-after-bind`;
}
