import type { SqlQuery } from "@hookline/core";
import { type ClaimedRow, type ClaimParams, leaseChosen } from "./claim-deliveries.js";

/** Leases the oldest deliveries of one active endpoint that wait outside the line. */
export function claimSetAside(schema: string) {
  const text = leaseChosen(
    schema,
    `select waiting.id from "${schema}".queue waiting
     where waiting.endpoint_id = $4::text and waiting.state <> 0 and $1::text is not null
       and exists (select from "${schema}".endpoints where id = $4::text and active)
     order by waiting.id
     limit $3::integer
     for update skip locked`,
  );

  return (query: SqlQuery, endpointId: string, params: ClaimParams) =>
    query<ClaimedRow>(text, [params.now, params.leasedUntil, params.limit, endpointId]);
}
