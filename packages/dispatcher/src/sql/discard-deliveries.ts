import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";
import type { RecordedRow } from "./record-attempts.js";

/** A delivery that nobody wants, by its lease. */
export interface DiscardedRow {
  readonly deliveryId: string;
  readonly leaseNo: number;
}

/** Takes deliveries out of the queue without a trace, also of what put them off; a lease that somebody else took meanwhile is left alone. */
export function discardDeliveries(schema: string) {
  const text = `
    with discarded as (
      delete from "${schema}".queue delivery
      using (select * from ${unpackColumns([
        ["id", "text"],
        ["lease_no", "integer"],
      ])}) as input
      where delivery.id = input.id and delivery.lease_no = input.lease_no and delivery.leased
      returning delivery.id, delivery.endpoint_id, delivery.ordering_key
    ), put_off as (
      delete from "${schema}".attempts where delivery_id = any(array(select id from discarded))
    )
    select id, endpoint_id, ordering_key, true as ended from discarded`;

  return (query: SqlQuery, rows: readonly DiscardedRow[]) =>
    query<RecordedRow>(text, [packColumn(rows, (row) => row.deliveryId), packColumn(rows, (row) => row.leaseNo)]);
}
