import type { SqlQuery } from "@hookline/core";

export interface QueueCountsRow {
  readonly due: number;
  readonly waiting_outside: number;
  readonly oldest_due_at: Date | null;
}

/** How long the line is. Counts no further than `limit`, so that a long line does not make the question slow. */
export function countQueue(schema: string) {
  const due = (columns: string, condition: string, rest = "") =>
    `(select ${columns} from "${schema}".queue where ${condition} and next_at <= $1::text::timestamptz ${rest})`;
  const dueOrLapsed = (columns: string, rest?: string) =>
    `${due(columns, "state = 0 and not leased", rest)} union all ${due(columns, "state = 0 and leased", rest)}`;
  const text = `
    select
      (select count(*)::integer from (${dueOrLapsed("1", "limit $2::integer")} limit $2::integer) as due) as due,
      (select count(*)::integer from (
        select 1 from "${schema}".queue where state <> 0 limit $2::integer
      ) as outside) as waiting_outside,
      (select min(oldest) from (${dueOrLapsed("min(next_at) as oldest")}) as each) as oldest_due_at`;

  return (query: SqlQuery, now: string, limit: number) => query<QueueCountsRow>(text, [now, limit]);
}
