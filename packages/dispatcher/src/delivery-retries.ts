import type { Clock, SqlQuery } from "@hookline/core";
import { type DeliveryFilter, FILTER_FIELDS, searchParams } from "./delivery-search.js";
import type { TenantScoped } from "./endpoint.js";
import { DispatcherError, type DispatcherErrorCode } from "./errors.js";
import { pageLimit, toPage } from "./page.js";
import { checkQuery, invalidQuery, refuseFirst } from "./query-input.js";
import { isoTime } from "./sql/columns.js";
import type { DeliveryRow } from "./sql/list-deliveries.js";
import type { Statements } from "./sql/statements.js";
import { unknownFields } from "./unknown-fields.js";

/** Which deliveries `deliveries.retryMany` puts back: by id, or by what they are. */
export type RetryMany = { readonly tenantId: string } & (
  | {
      /** 1 to 200. */
      readonly ids: readonly string[];
    }
  | {
      /** Leaves out what `endpoints.test` and `endpoints.verify` sent. */
      readonly filter: DeliveryFilter;
      /** 1 to 200, newest first; 50 when absent. */
      readonly limit?: number;
      /** What the call before answered as `nextCursor`. */
      readonly cursor?: string;
    }
);

/** What became of one of them: in the queue, or why not. */
export type RetryResult =
  | { readonly id: string; readonly status: "requeued" }
  | { readonly id: string; readonly status: "refused"; readonly code: RetryRefusal; readonly detail: string };

export type RetryRefusal = Extract<
  DispatcherErrorCode,
  | "delivery_not_found"
  | "delivery_in_flight"
  | "endpoint_not_found"
  | "endpoint_disabled"
  | "deadline_passed"
  | "payload_expunged"
>;

/** What `deliveries.retryMany` answers: a result for each id, in the order given or newest first. */
export interface RetriedMany {
  readonly results: readonly RetryResult[];
  /** Where a filter finds more; null when that was all, and for ids. */
  readonly nextCursor: string | null;
}

export interface DeliveryRetries {
  retryMany(asked: RetryMany): Promise<RetriedMany>;
  /** @throws DispatcherError a {@link RetryRefusal} */
  retryOne(delivery: TenantScoped): Promise<void>;
}

const FIELDS = { tenantId: true, ids: true, filter: true, limit: true, cursor: true } as const;
const MAX_IDS = 200;
type Refusal = readonly [code: RetryRefusal, detail: string];

/** Puts deliveries back in the queue. */
export function createDeliveryRetries(options: {
  readonly query: SqlQuery;
  readonly statements: Statements;
  readonly clock: Clock;
  /** A delivery is due. */
  readonly wake: () => void;
}): DeliveryRetries {
  const { query, statements, clock } = options;

  const requeue = async (tenantId: string, rows: readonly DeliveryRow[]): Promise<Map<string, Refusal | null>> => {
    const nowMs = clock.now();
    const outcomes = new Map(rows.map((row) => [row.id, refusalOf(row, nowMs)]));
    const ids = rows.filter((row) => outcomes.get(row.id) === null).map((row) => row.id);
    if (ids.length === 0) return outcomes;
    const requeued = await statements.requeueDeliveries(query, { tenantId, ids }, isoTime(nowMs));
    const inQueue = new Set(requeued.map((row) => row.id));
    if (inQueue.size > 0) options.wake();
    const missed = ids.filter((id) => !inQueue.has(id));
    if (missed.length === 0) return outcomes;
    // What became of them since they were looked at says why.
    const found = await statements.listDeliveries(query, { tenantId, ids: missed, limit: missed.length });
    const known = new Map(found.map((row) => [row.id, row]));
    for (const id of missed) outcomes.set(id, whyMissed(known.get(id), { id, nowMs }));
    return outcomes;
  };

  const retryIds = async (tenantId: string, ids: readonly string[]): Promise<readonly RetryResult[]> => {
    const known = ids.filter((id) => /^[A-Za-z0-9_-]{1,128}$/.test(id));
    const rows = await statements.listDeliveries(query, { tenantId, ids: known, limit: MAX_IDS });
    const outcomes = await requeue(tenantId, rows);
    return ids.map((id) => {
      const outcome = outcomes.get(id);
      return toResult(id, outcome === undefined ? notFound(id) : outcome);
    });
  };

  return {
    async retryMany(asked) {
      checkQuery(asked, FIELDS);
      if ("ids" in asked) {
        refuseFirst(
          ["filter", "limit", "cursor"]
            .filter((name) => name in asked)
            .map((path) => ({ path, message: "is not for ids" })),
        );
        const ids = Array.isArray(asked.ids) ? [...new Set(asked.ids)] : [];
        if (ids.length === 0 || ids.length > MAX_IDS) {
          throw invalidQuery("ids", `are 1 to ${MAX_IDS}`);
        }
        return { results: await retryIds(asked.tenantId, ids), nextCursor: null };
      }
      // What is left out by mistake must not stand for everything.
      if (typeof asked.filter !== "object" || asked.filter === null) {
        throw new DispatcherError("invalid_query", "ids or filter is given.", {
          issues: [{ path: "filter", message: "is an object, where there are no ids" }],
        });
      }
      refuseFirst(unknownFields(asked.filter, FILTER_FIELDS, "filter"));
      const limit = pageLimit(asked.limit);
      const search = { ...asked.filter, tenantId: asked.tenantId };
      const params = searchParams(search, { limit: limit + 1, cursor: asked.cursor });
      const rows = await statements.listDeliveries(query, { ...params, onlyQueued: true });
      const { page, nextCursor } = toPage(rows, limit, (row) => [row.id]);
      const outcomes = await requeue(asked.tenantId, page);
      return { results: page.map(({ id }) => toResult(id, outcomes.get(id) ?? null)), nextCursor };
    },
    async retryOne({ tenantId, id }) {
      const [result] = await retryIds(tenantId, [id]);
      if (result?.status === "refused") throw new DispatcherError(result.code, result.detail);
    },
  };
}

function toResult(id: string, refusal: Refusal | null): RetryResult {
  if (refusal === null) return { id, status: "requeued" };
  const [code, detail] = refusal;
  return { id, status: "refused", code, detail };
}

function notFound(id: string): Refusal {
  return ["delivery_not_found", `There is no delivery "${id}".`];
}

/** Null: somebody else has put it back. */
function whyMissed(
  row: DeliveryRow | undefined,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Refusal | null {
  if (row === undefined) return notFound(id);
  return refusalOf(row, nowMs) ?? (row.ending === null && !row.leased ? null : IN_FLIGHT);
}

const IN_FLIGHT: Refusal = ["delivery_in_flight", "The delivery is being attempted right now."];

function refusalOf(row: DeliveryRow, nowMs: number): Refusal | null {
  if (row.expunged) return ["payload_expunged", "The delivery's payload was expunged."];
  if (row.deadline_at !== null && row.deadline_at.getTime() <= nowMs) {
    return ["deadline_passed", "The delivery's deadline has passed."];
  }
  if (row.endpoint_id !== null && row.destination === null) {
    return ["endpoint_not_found", "The delivery's endpoint was deleted."];
  }
  if (row.held) return ["endpoint_disabled", "The delivery waits for its endpoint, which is disabled."];
  return null;
}
