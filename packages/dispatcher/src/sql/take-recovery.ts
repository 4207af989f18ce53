import type { SqlQuery } from "@hookline/core";
import { RECOVERY_COLUMNS, type RecoveryRow } from "./recovery-row.js";

/** A running recovery that no other worker is at, in turn; it is ours until the transaction ends. */
export function takeRecovery(schema: string) {
  const text = `
    select ${RECOVERY_COLUMNS}, (select active from "${schema}".endpoints where id = recovery.endpoint_id) as active
    from "${schema}".recoveries recovery
    where status = 'running'
    order by updated_at
    limit 1
    for update skip locked`;

  /** `active` is null when the endpoint is gone. */
  return (query: SqlQuery) => query<RecoveryRow & { readonly active: boolean | null }>(text);
}
