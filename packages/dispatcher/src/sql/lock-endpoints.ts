import type { SqlQuery } from "@hookline/core";
import { packColumn } from "@hookline/postgres";

/** What is known of an endpoint while nobody else changes it. */
export interface LockedEndpointRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly name: string | null;
  readonly version: number;
  readonly contact_address: string | null;
  readonly failures: number;
  readonly outages: number;
  readonly openings: number;
  readonly failing_since: Date | null;
  readonly circuit_until: Date | null;
  readonly held_until: Date | null;
}

/** Active endpoints, locked one after another in an order that all share. */
export function lockEndpoints(schema: string) {
  const text = `
    select id, tenant_id, name, version, contact_address, failures, outages, openings, failing_since, circuit_until,
      held_until
    from "${schema}".endpoints
    where id = any(string_to_array($1::text, E'\\x1e')) and active
    order by id
    for no key update`;

  return (query: SqlQuery, ids: readonly string[]) => query<LockedEndpointRow>(text, [packColumn(ids, (id) => id)]);
}
