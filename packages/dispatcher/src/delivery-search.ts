import type { AttemptErrorCode, DeliveryStatus } from "./delivery.js";
import { readCursor } from "./page.js";
import { invalidQuery } from "./query-input.js";
import type { ListDeliveriesParams } from "./sql/list-deliveries.js";
import type { FieldsOf } from "./unknown-fields.js";

/** Which deliveries of a tenant are meant: those for which all that is given holds. */
export interface DeliveryFilter {
  readonly endpointId?: string;
  readonly eventId?: string;
  /** Exactly, such as `ticket.created`. */
  readonly eventType?: string;
  /** `delivering`: of the pending ones those that a worker has, and attempts now or as soon as there is room. */
  readonly status?: DeliveryStatus | "delivering";
  /** Made at this time or later. */
  readonly since?: Date;
  /** Made before this time. */
  readonly until?: Date;
  /** That the last attempt was answered with. */
  readonly httpStatus?: number;
  /** Of the last attempt. */
  readonly errorCode?: AttemptErrorCode;
}

/** A filter, and which page of what it finds. */
export interface DeliveryQuery extends DeliveryFilter {
  readonly tenantId: string;
  /** 1 to 200; 50 when absent. */
  readonly limit?: number;
  /** What the previous page answered. */
  readonly cursor?: string;
}

export const FILTER_FIELDS: FieldsOf<DeliveryFilter> = {
  endpointId: true,
  eventId: true,
  eventType: true,
  status: true,
  since: true,
  until: true,
  httpStatus: true,
  errorCode: true,
};

export const QUERY_FIELDS: FieldsOf<DeliveryQuery> = { ...FILTER_FIELDS, tenantId: true, limit: true, cursor: true };

/**
 * The filter as the statement takes it. A delivery's id begins with the time at which it was made, so times are bounds of
 * ids, and one order serves the filter and the cursor.
 *
 * @throws DispatcherError `invalid_query`, `invalid_cursor`
 */
export function searchParams(
  filter: DeliveryFilter & { readonly tenantId: string },
  page: { readonly limit: number; readonly cursor?: string | undefined },
): ListDeliveriesParams {
  const { tenantId, endpointId, eventId, eventType, status, httpStatus, errorCode } = filter;
  for (const [path, value] of Object.entries({ endpointId, eventId, eventType, errorCode })) {
    if (value !== undefined && (typeof value !== "string" || value === "")) throw invalidQuery(path, "is a text");
  }
  if (status !== undefined && !Object.hasOwn(STATUSES, status)) {
    throw invalidQuery("status", `is one of ${Object.keys(STATUSES).join(", ")}`);
  }
  if (httpStatus !== undefined && !(Number.isInteger(httpStatus) && httpStatus > 0 && httpStatus < 1_000)) {
    throw invalidQuery("httpStatus", "is a whole number from 1 to 999");
  }
  const beforeIds = [
    ...(page.cursor === undefined ? [] : readCursor(page.cursor, ["id"])),
    ...(filter.until === undefined ? [] : [firstDeliveryIdAt(timeOf(filter.until, "until"))]),
  ];
  return {
    tenantId,
    limit: page.limit,
    endpointId,
    eventId,
    eventType,
    status,
    httpStatus,
    errorCode,
    fromId: filter.since === undefined ? undefined : firstDeliveryIdAt(timeOf(filter.since, "since")),
    beforeIds,
  };
}

/** Typed so that none can be forgotten here. */
const STATUSES: Readonly<Record<NonNullable<DeliveryFilter["status"]>, true>> = {
  pending: true,
  delivering: true,
  held: true,
  delivered: true,
  dead: true,
  expired: true,
};

const MAX_TIME_MS = 36 ** 9 - 1;

/** What sorts before the id of every delivery made at this time or later, and after all that were made before. */
export function firstDeliveryIdAt(ms: number): string {
  const bounded = Math.min(Math.max(Math.trunc(ms), 0), MAX_TIME_MS);
  return `dlv_${bounded.toString(36).padStart(9, "0")}`;
}

/** @throws DispatcherError `invalid_query` when it is no date */
export function timeOf(date: Date, path: string): number {
  const ms = date instanceof Date ? date.getTime() : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw invalidQuery(path, "is a valid Date");
}
