/** What bodies are stored in. */
export type BodyTable = "events" | "messages";

/** Where a batch of old rows begins and ends. */
export interface OldRows {
  /** Stored before that time. ISO 8601. */
  readonly before: string;
  /** The last row of the batch before; null for the first batch. */
  readonly after: { readonly storedAt: Date; readonly id: string } | null;
  readonly limit: number;
}

/** The last row of a batch and how many there were; no more than `limit`. */
export interface OldBatch {
  readonly count: number;
  readonly last_at: Date | null;
  readonly last_id: string | null;
}

/** The part of a statement that chooses old rows for which nothing waits: `$1` before, `$2`, `$3` after, `$4` limit. */
export function chooseOld(schema: string, table: BodyTable, expunged: "is null" | "is not null"): string {
  const isPending = table === "events" ? "pending.event_id = row.id" : "pending.id = row.id";
  return `
    old as (
      select row.id, row.stored_at from "${schema}".${table} row
      where row.expunged_at ${expunged} and row.stored_at < $1::text::timestamptz
        and (row.stored_at, row.id) > (coalesce($2::text, '-infinity')::timestamptz, coalesce($3::text, ''))
        and not exists (select from "${schema}".queue pending where ${isPending})
      order by row.stored_at, row.id
      limit $4::integer
      for update skip locked
    )`;
}

/** The ids of the finished deliveries of those rows. */
export function deliveriesOfOld(schema: string, table: BodyTable): string {
  return table === "messages"
    ? "select id from old"
    : `select delivery_id from "${schema}".attempts ended
       where ended.event_id = any(array(select id from old)) and ended.ending is not null and ended.event_id is not null`;
}

export const BATCH_OF_OLD = `select count(*)::integer as count, max(stored_at) as last_at,
    (array_agg(id order by stored_at desc, id desc))[1] as last_id from old`;

export const parametersOf = ({ before, after, limit }: OldRows): readonly unknown[] => [
  before,
  after?.storedAt.toISOString() ?? null,
  after?.id ?? null,
  limit,
];
