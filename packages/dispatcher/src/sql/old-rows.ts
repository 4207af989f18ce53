import type { SqlQuery } from "@hookline/core";

/** What bodies are stored in. */
export type BodyTable = "events" | "messages";

/** Where a batch of old rows begins and ends. */
export interface OldRows {
  /** Stored before that time. ISO 8601. */
  readonly before: string;
  /** The last row of the batch before; null for the first batch. */
  readonly after: { readonly storedAt: Date; readonly id: string } | null;
  readonly limit: number;
  /** Those without their payload, or those that have it. */
  readonly isExpunged: boolean;
}

export interface OldRow {
  readonly id: string;
  readonly stored_at: Date;
}

/**
 * Locks old rows for which nothing waits. In the transaction of what is done with them: whoever puts a delivery back
 * locks the same row, so that from here on none is put back.
 */
export function lockOld(schema: string) {
  const textOf = (table: BodyTable, isExpunged: boolean) => `
    select row.id, row.stored_at from "${schema}".${table} row
    where row.expunged_at ${isExpunged ? "is not null" : "is null"} and row.stored_at < $1::text::timestamptz
      and (row.stored_at, row.id) > (coalesce($2::text, '-infinity')::timestamptz, coalesce($3::text, ''))
      and not ${isPending(schema, table)}
    order by row.stored_at, row.id
    limit $4::integer
    for update skip locked`;

  return (query: SqlQuery, table: BodyTable, rows: OldRows) =>
    query<OldRow>(textOf(table, rows.isExpunged), [
      rows.before,
      rows.after?.storedAt.toISOString() ?? null,
      rows.after?.id ?? null,
      rows.limit,
    ]);
}

/**
 * The part of a statement that names the rows `$1` which are still old: what was put back between the choice of a row
 * and its lock is seen by this statement, not by the one that locked it.
 */
export function stillOld(schema: string, table: BodyTable): string {
  return `
    old as (
      select row.id from "${schema}".${table} row
      where row.id = any(string_to_array($1::text, E'\\x1e'))
        and not ${isPending(schema, table)}
    )`;
}

/** The condition that a delivery of `row` is unfinished. Leases are few: they are read once for all rows. */
function isPending(schema: string, table: BodyTable): string {
  const waits = (condition: string) => `exists (select from "${schema}".queue pending where ${condition})`;
  if (table === "messages") return waits("pending.id = row.id");
  return `(
        ${waits("pending.event_id = row.id and pending.event_id is not null and not pending.leased")}
        or row.id in (select event_id from "${schema}".queue where state = 0 and leased and event_id is not null)
      )`;
}

/** The ids of the finished deliveries of those rows. */
export function deliveriesOfOld(schema: string, table: BodyTable): string {
  return table === "messages"
    ? "select id from old"
    : `select delivery_id from "${schema}".attempts ended
       where ended.event_id = any(array(select id from old)) and ended.ending is not null and ended.event_id is not null`;
}
