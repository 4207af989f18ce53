import type { SqlQuery } from "@hookline/core";
import { packColumn, unpackColumns } from "@hookline/postgres";

/** A probe of which nothing became. */
export interface ReturnedProbe {
  readonly endpointId: string;
  /** Until when nobody else was to make one. ISO 8601. */
  readonly leasedUntil: string;
  /** When another one may be made. ISO 8601. */
  readonly nextAt: string;
}

/**
 * Lets another delivery be the probe of endpoints whose circuit breaker is open. A probe that somebody else makes
 * meanwhile, and an opening that was recorded meanwhile, are left alone.
 */
export function returnProbes(schema: string) {
  const text = `
    update "${schema}".endpoints endpoint set circuit_until = input.next_at
    from (select * from ${unpackColumns([
      ["id", "text"],
      ["leased_until", "timestamptz"],
      ["next_at", "timestamptz"],
    ])}) as input
    where endpoint.id = input.id and endpoint.openings > 0 and endpoint.circuit_until = input.leased_until`;

  return (query: SqlQuery, probes: readonly ReturnedProbe[]) =>
    query(text, [
      packColumn(probes, (probe) => probe.endpointId),
      packColumn(probes, (probe) => probe.leasedUntil),
      packColumn(probes, (probe) => probe.nextAt),
    ]);
}
