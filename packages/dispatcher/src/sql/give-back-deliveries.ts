import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import { isRetry } from "./ordering.js";

/** A lease that is given back without an attempt. */
export interface GivenBackRow {
  readonly deliveryId: string;
  readonly leaseNo: number;
  /** 0 in line, 1 held, 2 set aside. */
  readonly state: 0 | 1 | 2;
  /** ISO 8601. */
  readonly nextAt: string;
}

/** What became of a lease that was given back. */
export interface ReturnedLeaseRow {
  /** The endpoint for which it was set aside; null when it was not. */
  readonly set_aside: string | null;
  readonly endpoint_id: string | null;
  /** Where it waits for its retry again, so that others of its key may pass; null: none may. */
  readonly passed_key: string | null;
}

/** Ends leases without an attempt; a lease that somebody else took meanwhile is left alone. */
export function giveBackDeliveries(schema: string) {
  const text = `
    update "${schema}".queue delivery set leased = false, state = input.state, next_at = input.next_at
    from (select * from ${unpackColumns([
      ["id", "text"],
      ["lease_no", "integer"],
      ["state", "smallint"],
      ["next_at", "timestamptz"],
    ])}) as input
    where delivery.id = input.id and delivery.lease_no = input.lease_no and delivery.leased
    returning case when input.state = 2 then delivery.endpoint_id end as set_aside, delivery.endpoint_id,
      case when ${isRetry("delivery")} then delivery.ordering_key end as passed_key`;

  return (query: SqlQuery, rows: readonly GivenBackRow[]) =>
    query<ReturnedLeaseRow>(text, [
      packColumn(rows, (row) => row.deliveryId),
      packColumn(rows, (row) => row.leaseNo),
      packColumn(rows, (row) => row.state),
      packColumn(rows, (row) => row.nextAt),
    ]);
}
