import type { SqlQuery } from "@hookline/core";
import type { RecoverableStatus } from "../recovery.js";
import { RECOVERY_COLUMNS, type RecoveryRow } from "./recovery-row.js";

/** Starts a recovery; any worker takes it up. */
export function insertRecovery(schema: string) {
  const text = `
    insert into "${schema}".recoveries
      (id, tenant_id, endpoint_id, of_status, since, until, status, place, place_end, created_at, updated_at)
    values ($1::text, $2::text, $3::text, $4::text, $5::text::timestamptz, $6::text::timestamptz, 'running', $7::text,
      $8::text, $9::text::timestamptz, $9::text::timestamptz)
    returning ${RECOVERY_COLUMNS}`;

  return (
    query: SqlQuery,
    row: {
      readonly id: string;
      readonly tenantId: string;
      readonly endpointId: string;
      readonly of: RecoverableStatus;
      readonly since: string;
      readonly until: string;
      readonly place: string;
      readonly placeEnd: string;
    },
    now: string,
  ) =>
    query<RecoveryRow>(text, [
      row.id,
      row.tenantId,
      row.endpointId,
      row.of,
      row.since,
      row.until,
      row.place,
      row.placeEnd,
      now,
    ]);
}
