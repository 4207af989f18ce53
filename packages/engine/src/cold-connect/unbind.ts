import { type Destination, defineDestination, identitySubject, type Transaction } from "@hookline/core";
import { markReleased } from "../account-tokens/release-tokens.js";
import { normaliseIdentity } from "../identity/identity.js";
import { lockContacts } from "../identity/lock-contacts.js";
import { runAfter } from "./after.js";
import { isBound } from "./bound-account.js";
import type { ResolvedOptions, Unbound } from "./options.js";

/** `not_linked`: nothing else is known of the account's contact, or nobody has it; then nothing was changed. */
export type UnbindResult =
  | { readonly status: "unlinked"; readonly contactId: string; readonly eventId: string }
  | { readonly status: "not_linked" };

interface Unbinding {
  readonly tenantId: string;
  readonly platformUserId: string;
  readonly reason: string;
  readonly key: string;
}

/**
 * Takes the account and what is known of it away from its contact, publishes the unlinked event about the contact, and
 * sends `afterUnbind`, all in one transaction.
 */
export async function unbindIn(
  tx: Transaction,
  options: ResolvedOptions,
  { tenantId, platformUserId, reason, key }: Unbinding,
): Promise<UnbindResult> {
  const { store, outbox, connectorId, unlinkedEvent, identityKind } = options;
  const value = options.platformKey(platformUserId);
  const account = normaliseIdentity({ kind: identityKind, value }, new Set([identityKind]));
  const { contacts } = await lockContacts(store, tx, [{ tenantId, identities: [account] }]);
  const [contact] = contacts;
  const bound = { tenantId, platformUserId };
  if (!contact || !(await isBound(options, bound, tx))) return { status: "not_linked" };

  const now = new Date(store.clock.now());
  await tx.query(`delete from "${store.schema}".contact_identities where tenant_id = $1 and kind = $2 and value = $3`, [
    tenantId,
    account.kind,
    account.value,
  ]);
  const forgotten = [...options.mergedProperties];
  await tx.query(
    `update "${store.schema}".contacts
     set properties = properties - $2::text[], property_times = property_times - $2::text[], updated_at = $3
     where id = $1`,
    [contact.id, forgotten, now],
  );
  await markReleased(store, tx, { tenantId, connectorId, accountId: platformUserId });
  const idempotencyKey = `${connectorId}.unlinked:${key}`;
  const { id: eventId } = await outbox.publish(
    {
      tenantId,
      type: unlinkedEvent,
      timestamp: now,
      subjectId: contact.id,
      idempotencyKey,
      data: { reason, [options.identifyPropKey]: platformUserId },
    },
    { transaction: tx },
  );
  if (options.afterUnbind) {
    const target: Unbound = { tenantId, platformUserId, contactId: contact.id };
    const data = { contactId: contact.id };
    const subjectIds = [contact.id, identitySubject(account)];
    await outbox.send(
      { tenantId, destination: afterUnbindId(connectorId), target, data, idempotencyKey, subjectIds },
      { transaction: tx },
    );
  }
  return { status: "unlinked", contactId: contact.id, eventId };
}

/** `afterUnbind` as a destination: retried until it succeeds once or answers `dead`, unless the account is linked again. */
export function createAfterUnbindDestination(options: ResolvedOptions): Destination {
  return defineDestination<Unbound>({
    id: afterUnbindId(options.connectorId),
    plan: (_event, { endpoint }) => ({
      kind: "run",
      async run() {
        // The delivery's tenant, whatever its target says.
        const unbound = { ...endpoint.target, tenantId: endpoint.tenantId };
        const again = await isBound(options, unbound);
        if (again) return { outcome: "dead", reason: "The account was linked again in the meantime." };
        return runAfter(() => options.afterUnbind?.(unbound) ?? Promise.resolve(undefined));
      },
    }),
  }) as Destination;
}

function afterUnbindId(connectorId: string): string {
  return `${connectorId}-after-unbind`;
}
