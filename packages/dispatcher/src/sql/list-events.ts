import type { SqlQuery } from "@hookline/core";

export interface StoredEventRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly type: string;
  readonly subject_id: string | null;
  readonly occurred_at: Date;
  readonly body: string;
}

export interface ListEventsParams {
  readonly tenantId: string;
  readonly subjectIds: readonly string[] | null;
  readonly type: string | null;
  /** ISO 8601, included; null for no bound. */
  readonly since: string | null;
  /** ISO 8601, not included; null for no bound. */
  readonly until: string | null;
  /** Only events before this place. */
  readonly before: { readonly occurredAt: string; readonly id: string } | null;
  readonly limit: number;
}

/** A tenant's events, newest first. */
export function listEvents(schema: string) {
  const text = `
    select id, tenant_id, type, subject_id, occurred_at, body from "${schema}".events
    where tenant_id = $1::text
      and ($2::text is null or subject_id = any(string_to_array($2::text, E'\\x1e')))
      and ($3::text is null or type = $3::text)
      and ($4::text is null or (occurred_at, id) < ($4::text::timestamptz, $5::text))
      and ($6::text is null or occurred_at >= $6::text::timestamptz)
      and ($7::text is null or occurred_at < $7::text::timestamptz)
    order by occurred_at desc, id desc
    limit $8::integer`;

  return (query: SqlQuery, params: ListEventsParams) =>
    query<StoredEventRow>(text, [
      params.tenantId,
      params.subjectIds === null ? null : params.subjectIds.join("\u001e"),
      params.type,
      params.before?.occurredAt ?? null,
      params.before?.id ?? null,
      params.since,
      params.until,
      params.limit,
    ]);
}
