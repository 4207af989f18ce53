import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";

/** How an endpoint does from now on. */
export interface HealthRow {
  readonly endpointId: string;
  readonly failures: number;
  readonly outages: number;
  readonly openings: number;
  /** ISO 8601, as the times that follow. */
  readonly failingSince: string | null;
  readonly circuitUntil: string | null;
  readonly heldUntil: string | null;
  /** Why it is disabled with this; null leaves it active. */
  readonly disabledReason: string | null;
}

const COLUMNS = [
  ["id", "text"],
  ["failures", "integer"],
  ["outages", "integer"],
  ["openings", "integer"],
  ["failing_since", "timestamptz"],
  ["circuit_until", "timestamptz"],
  ["held_until", "timestamptz"],
  ["disabled_reason", "text"],
] as const;

/** Writes what was decided about endpoints that {@link lockEndpoints} holds. */
export function saveHealth(schema: string) {
  const text = `
    update "${schema}".endpoints endpoint set
      failures = input.failures, outages = input.outages, openings = input.openings,
      failing_since = input.failing_since, circuit_until = input.circuit_until, held_until = input.held_until,
      active = input.disabled_reason is null,
      disabled_at = case when input.disabled_reason is null then disabled_at else $9::text::timestamptz end,
      disabled_reason = coalesce(input.disabled_reason, endpoint.disabled_reason),
      version = version + (input.disabled_reason is not null)::integer,
      updated_at = case when input.disabled_reason is null then updated_at else $9::text::timestamptz end
    from (select * from ${unpackColumns(COLUMNS)}) as input
    where endpoint.id = input.id`;

  return (query: SqlQuery, rows: readonly HealthRow[], now: string) =>
    query(text, [
      packColumn(rows, (row) => row.endpointId),
      packColumn(rows, (row) => row.failures),
      packColumn(rows, (row) => row.outages),
      packColumn(rows, (row) => row.openings),
      packColumn(rows, (row) => row.failingSince),
      packColumn(rows, (row) => row.circuitUntil),
      packColumn(rows, (row) => row.heldUntil),
      packColumn(rows, (row) => row.disabledReason),
      now,
    ]);
}
