import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

export interface StoredSendRow {
  readonly id: string;
  readonly destination: string;
  readonly body: string;
  readonly stored_at: Date;
}

/** Direct sends about some subjects, newest first; those that were expunged are about nobody. */
export function listSends(schema: string) {
  const text = `
    select id, destination, body, stored_at from "${schema}".messages
    where tenant_id = $1::text and subject_ids && string_to_array($2::text, E'\\x1e') and subject_ids is not null
      and expunged_at is null and ($3::text is null or id < $3::text)
    order by id desc
    limit $4::integer`;

  return (
    query: SqlQuery,
    asked: {
      readonly tenantId: string;
      readonly subjectIds: readonly string[];
      readonly before: string | null;
      readonly limit: number;
    },
  ) =>
    query<StoredSendRow>(text, [asked.tenantId, packColumn(asked.subjectIds, (id) => id), asked.before, asked.limit]);
}
