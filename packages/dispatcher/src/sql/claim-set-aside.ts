import type { SqlQuery } from "@hookline/core";
import { type Claim, type ClaimParams, leaseChosen, runClaim } from "./claim-deliveries.js";

/**
 * Leases the oldest deliveries of one active endpoint that wait outside the line. While its circuit breaker is open:
 * one, as a probe, which nobody else makes until this one's lease has run out.
 */
export function claimSetAside(schema: string) {
  const text = leaseChosen(
    schema,
    `select waiting.id, waiting.endpoint_id, waiting.ordering_key, waiting.position, waiting.leased, waiting.next_at
     from "${schema}".queue waiting
     where waiting.endpoint_id = $4::text and waiting.state <> 0 and (
       exists (select from probe) or exists (
         select from "${schema}".endpoints
         where id = $4::text and active and openings = 0
           and (held_until is null or held_until <= $1::text::timestamptz)
       )
     )
     order by waiting.id
     limit case when exists (select from probe) then 1 else $3::integer end
     for update skip locked`,
    `
      update "${schema}".endpoints set circuit_until = $2::text::timestamptz
      where id = $4::text and active and openings > 0
        and greatest(circuit_until, held_until) <= $1::text::timestamptz
        and exists (select from "${schema}".queue where endpoint_id = $4::text and state <> 0)
      returning id
    `,
  );

  return (query: SqlQuery, endpointId: string, params: ClaimParams): Promise<Claim> =>
    runClaim(query, text, [params.now, params.leasedUntil, params.limit, endpointId]);
}
