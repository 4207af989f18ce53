import type { SqlQuery } from "@hookline/core";
import { type Claim, type ClaimParams, leaseChosen, runClaim } from "./claim-deliveries.js";

/** Leases the oldest deliveries of one active endpoint that wait outside the line. */
export function claimSetAside(schema: string) {
  const text = leaseChosen(
    schema,
    `select waiting.id, waiting.endpoint_id, waiting.ordering_key, waiting.position, waiting.leased, waiting.next_at
     from "${schema}".queue waiting
     where waiting.endpoint_id = $4::text and waiting.state <> 0
       and exists (select from "${schema}".endpoints where id = $4::text and active)
     order by waiting.id
     limit $3::integer
     for update skip locked`,
  );

  return (query: SqlQuery, endpointId: string, params: ClaimParams): Promise<Claim> =>
    runClaim(query, text, [params.now, params.leasedUntil, params.limit, endpointId]);
}
