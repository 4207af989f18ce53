import type { SqlQuery } from "@hookline/core";

/** One row when anything was sent, or tried to be; that a target could not be read was no attempt. */
export function hasBeenAttempted(schema: string) {
  const text = `
    select 1 as attempted from "${schema}".attempts
    where delivery_id = $1::text and error_code is distinct from 'decrypt_failed' limit 1`;

  return (query: SqlQuery, deliveryId: string) => query<{ readonly attempted: number }>(text, [deliveryId]);
}
