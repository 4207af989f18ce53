import type { SqlQuery } from "@hookline/core";
import { RECOVERY_COLUMNS, type RecoveryRow } from "./recovery-row.js";

/** A tenant's recoveries, newest first. */
export function listRecoveries(schema: string) {
  const text = `
    select ${RECOVERY_COLUMNS} from "${schema}".recoveries
    where tenant_id = $1::text
      and ($2::text is null or id = $2::text)
      and ($3::text is null or endpoint_id = $3::text)
      and ($4::text is null or id < $4::text)
    order by id desc
    limit $5::integer`;

  return (
    query: SqlQuery,
    params: {
      readonly tenantId: string;
      readonly id: string | null;
      readonly endpointId: string | null;
      readonly before: string | null;
      readonly limit: number;
    },
  ) => query<RecoveryRow>(text, [params.tenantId, params.id, params.endpointId, params.before, params.limit]);
}
