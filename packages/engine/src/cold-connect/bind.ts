import { type Destination, defineDestination, type Transaction } from "@hookline/core";
import { unmarkReleased } from "../account-tokens/release-tokens.js";
import { normaliseIdentities } from "../identity/identity.js";
import { resolveContact } from "../identity/resolve-contact.js";
import { checkProperties } from "../ingest/check-input.js";
import { runAfter } from "./after.js";
import { isBound } from "./bound-account.js";
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
  await unmarkReleased(store, tx, { tenantId, connectorId, accountId: platformUserId });
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
    {
      tenantId,
      destination: afterBindId(connectorId),
      target: bound,
      data: { contactId },
      idempotencyKey,
      subjectIds: [contactId],
    },
    { transaction: tx },
  );
  return { contactId, eventId };
}

/** `afterBind` as a destination: retried until it succeeds once or answers `dead`, over crashes too, unless the account was unlinked. */
export function createAfterBindDestination(options: ResolvedOptions): Destination {
  return defineDestination<Bound>({
    id: afterBindId(options.connectorId),
    plan: (_event, { endpoint }) => ({
      kind: "run",
      async run() {
        // The delivery's tenant, whatever its target says.
        const bound = { ...endpoint.target, tenantId: endpoint.tenantId };
        const still = await isBound(options, bound);
        if (!still) return { outcome: "dead", reason: "The account was unlinked in the meantime." };
        return runAfter(() => options.afterBind(bound));
      },
    }),
  }) as Destination;
}

function afterBindId(connectorId: string): string {
  return `${connectorId}-after-bind`;
}
