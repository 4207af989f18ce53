import type { SqlQuery } from "@hookline/core";
import type { RecoveryStatus } from "../recovery.js";

/** Writes down how far a recovery is, in the transaction that put its page back. */
export function advanceRecovery(schema: string) {
  const text = `
    update "${schema}".recoveries set
      place = coalesce($2::text, place), matched = matched + $3::integer, requeued = requeued + $4::integer,
      status = $5::text, updated_at = $6::text::timestamptz,
      ended_at = case when $5::text = 'running' then null else $6::text::timestamptz end
    where id = $1::text`;

  return (
    query: SqlQuery,
    step: {
      readonly id: string;
      readonly place: string | null;
      readonly matched: number;
      readonly requeued: number;
      readonly status: RecoveryStatus;
    },
    now: string,
  ) => query(text, [step.id, step.place, step.matched, step.requeued, step.status, now]);
}
