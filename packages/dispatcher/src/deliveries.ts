import type { Clock, SqlQuery } from "@hookline/core";
import type { Delivery, DeliveryDetail, LoggedDelivery } from "./delivery.js";
import { createDeliveryRetries, type RetriedMany, type RetryMany } from "./delivery-retries.js";
import { toAttempt, toDelivery, toLogged } from "./delivery-rows.js";
import { type DeliveryQuery, QUERY_FIELDS, searchParams } from "./delivery-search.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError } from "./errors.js";
import { pageLimit, toPage } from "./page.js";
import { checkQuery, checkScoped } from "./query-input.js";
import type { Statements } from "./sql/statements.js";

export interface Deliveries {
  /** Newest first. `cursor` is what the previous page answered. */
  list(query: DeliveryQuery): Promise<{ readonly deliveries: readonly Delivery[]; readonly nextCursor: string | null }>;
  /** With its attempts; null when the tenant has no delivery of that id. */
  get(delivery: TenantScoped): Promise<DeliveryDetail | null>;
  /** {@link Deliveries.list}, each with its event and its last attempt. */
  log(query: DeliveryQuery): Promise<{
    readonly deliveries: readonly LoggedDelivery[];
    readonly nextCursor: string | null;
  }>;
  /**
   * Puts a finished delivery back in the queue with its whole schedule before it, or makes a waiting one due now.
   *
   * @throws DispatcherError `delivery_not_found`, `delivery_in_flight`, `endpoint_not_found`, `endpoint_disabled`,
   * `deadline_passed`, `payload_expunged`
   */
  retry(delivery: TenantScoped): Promise<DeliveryDetail>;
  /**
   * {@link Deliveries.retry} for up to 200 deliveries, with a result for each instead of an error. A filter leaves out
   * what `endpoints.test` and `endpoints.verify` sent.
   *
   * @throws DispatcherError `invalid_query`, `invalid_cursor`
   */
  retryMany(asked: RetryMany): Promise<RetriedMany>;
}

export function createDeliveries(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  /** A delivery is due. */
  readonly wake: () => void;
}): Deliveries {
  const { query, statements } = options;
  const { retryMany, retryOne } = createDeliveryRetries(options);

  const get = async (delivery: TenantScoped): Promise<DeliveryDetail | null> => {
    checkScoped(delivery);
    const { tenantId, id } = delivery;
    const [row] = await statements.listDeliveries(query, { tenantId, ids: [id], limit: 1 });
    if (row === undefined) return null;
    const attempts = await statements.listAttempts(query, delivery);
    return { ...toDelivery(row), log: attempts.map(toAttempt) };
  };

  const list: Deliveries["list"] = async (asked) => {
    checkQuery(asked, QUERY_FIELDS);
    const limit = pageLimit(asked.limit);
    const params = searchParams(asked, { limit: limit + 1, cursor: asked.cursor });
    const rows = await statements.listDeliveries(query, params);
    const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
    return { deliveries: page.map(toDelivery), nextCursor };
  };

  return {
    get,
    list,
    async log(asked) {
      const { deliveries, nextCursor } = await list(asked);
      if (deliveries.length === 0) return { deliveries: [], nextCursor };
      const rows = await statements.describeDeliveries(query, asked.tenantId, deliveries);
      const described = new Map(rows.map((row) => [row.delivery_id, row]));
      return { deliveries: deliveries.map((delivery) => toLogged(delivery, described.get(delivery.id))), nextCursor };
    },
    async retry(delivery) {
      checkScoped(delivery);
      await retryOne(delivery);
      const found = await get(delivery);
      if (found === null) throw new DispatcherError("delivery_not_found", `There is no delivery "${delivery.id}".`);
      return found;
    },
    retryMany,
  };
}
