import { type Clock, newId, type Outbox, type SqlQuery, type Subscription, type Transaction } from "@hookline/core";
import { queryWithin, transactionOf } from "./callers-transaction.js";
import type { DestinationRegistry } from "./destinations/registry.js";
import type { TenantScoped } from "./endpoint.js";
import type { EndpointCache } from "./endpoint-cache.js";
import type { EndpointCodec } from "./endpoint-codec.js";
import { patternIssues, refuse } from "./endpoint-input.js";
import { DispatcherError } from "./errors.js";
import { keyIssues } from "./event-input.js";
import type { HeldDeliveries } from "./held-deliveries.js";
import { isoTime } from "./sql/columns.js";
import type { Statements } from "./sql/statements.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

const FIELDS: FieldsOf<Subscription> = { key: true, tenantId: true, destination: true, events: true, target: true };

export type Subscriptions = Pick<Outbox, "subscribe" | "unsubscribe">;

/** Endpoints that belong to a program: known by its key, and made anew as it says at each start. */
export function createSubscriptions(options: {
  readonly settings: { readonly clock: Clock };
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly registry: DestinationRegistry;
  readonly cache: EndpointCache;
  readonly codec: EndpointCodec;
  readonly held: HeldDeliveries;
  readonly deleteEndpoint: (endpoint: TenantScoped) => Promise<boolean>;
}): Subscriptions {
  const { query: ownQuery, statements, registry, cache, codec, held, deleteEndpoint } = options;
  const { clock } = options.settings;

  const queryOf = (transaction: Transaction | undefined): SqlQuery =>
    transaction === undefined ? ownQuery : queryWithin(transaction);

  /**
   * Forgets an endpoint that was changed and does what follows for its held deliveries: at once, or after the caller's
   * commit. Nobody tells of some commits: then its version and the next sweep do.
   */
  const settle = async (transaction: Transaction | undefined, id: string, next: keyof HeldDeliveries) => {
    const settled = () => {
      cache.forget(id);
      return held[next](id);
    };
    if (transaction === undefined) await settled();
    // It never rejects, and a sweep does what a failure leaves undone.
    else transaction.afterCommit?.(() => void settled());
  };

  return {
    async unsubscribe({ tenantId, key }, outboxOptions = {}) {
      const transaction = transactionOf(outboxOptions);
      const query = queryOf(transaction);
      const [found] = await statements.findSubscription(query, { tenantId, key });
      if (found === undefined) return false;
      if (transaction === undefined) return deleteEndpoint({ tenantId, id: found.id });
      const deleted = await statements.deleteEndpoint(query, { tenantId, id: found.id });
      await settle(transaction, found.id, "release");
      return deleted.length > 0;
    },

    async subscribe(subscription, outboxOptions = {}) {
      const { key, tenantId, destination, events, target: given } = subscription;
      const transaction = transactionOf(outboxOptions);
      const query = queryOf(transaction);
      refuse([
        ...unknownFields(subscription, FIELDS),
        ...keyIssues("tenantId", tenantId),
        ...keyIssues("key", key),
        ...patternIssues(events),
      ]);
      registry.require(destination);
      if (registry.signs(destination)) {
        throw new DispatcherError(
          "invalid_endpoint",
          `A subscription has no secret to sign with: make "${destination}" endpoints with endpoints.create.`,
        );
      }
      const target = registry.parseTarget(destination, given);
      const newEndpointId = newId("ep", clock.now());
      const [row] = await statements.upsertSubscription(
        query,
        {
          id: newEndpointId,
          tenantId,
          key,
          destination,
          target: codec.encryptTarget(newEndpointId, target),
          secrets: codec.encryptSecrets(newEndpointId, []),
          events,
          // Nobody outside could enable it again.
          policy: JSON.stringify({ disableAfterMs: null }),
        },
        isoTime(clock.now()),
      );
      if (row === undefined) throw new Error("The subscription was neither made nor found.");
      const isSame =
        row.destination === destination &&
        row.events.join(" ") === events.join(" ") &&
        // One that cannot be read is written anew.
        JSON.stringify(codec.readTarget(row)) === JSON.stringify(target ?? null);
      if (!isSame) {
        await statements.updateEndpoint(
          query,
          { tenantId, id: row.id },
          {
            name: null,
            destination,
            target: codec.encryptTarget(row.id, target),
            events,
            policy: null,
            active: true,
            contactAddress: null,
            onlyVersion: null,
            now: isoTime(clock.now()),
          },
        );
        await settle(transaction, row.id, "resume");
      }
      return { endpointId: row.id };
    },
  };
}
