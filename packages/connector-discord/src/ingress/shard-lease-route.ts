import { type Clock, type ConnectorRoute, problemResponse } from "@hookline/core";
import { LEASE_LIMITS, leaseRequestSchema } from "../lease-contract.js";
import { openShardLeases } from "./shard-leases.js";
import { readSignedJson } from "./signed-json.js";

/** Where gateway workers agree on who holds which shard. Signed as the ingress is. */
export function createShardLeaseRoute(options: {
  readonly secrets: readonly string[];
  readonly clock: Clock;
}): ConnectorRoute {
  const { maxBodyBytes } = LEASE_LIMITS;
  return {
    method: "POST",
    path: "/shard-leases",
    summary: "Leases shards of Discord's Gateway to gateway workers",
    rateLimited: false,
    maxBodyBytes,
    async handle(request, { state }) {
      const read = await readSignedJson(request, { ...options, maxBodyBytes });
      if (!read.ok) return read.response;
      const parsed = leaseRequestSchema.safeParse(read.value);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const detail = `${issue?.path.join(".") || "The body"}: ${issue?.message ?? "malformed"}`;
        return problemResponse({ status: 400, code: "invalid_lease_request", detail });
      }
      return Response.json(await openShardLeases(state, options.clock.now).settle(parsed.data));
    },
  };
}
