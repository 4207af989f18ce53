import type { Logger } from "@hookline/core";
import type { EndpointPolicy } from "./endpoint.js";
import type { Job } from "./job.js";
import { limitIssues, type TenantLimits, type TenantLimitsOption } from "./limits.js";
import type { Bucket, RateGate, Taken } from "./rate-gate.js";

/** Which rate limits a delivery is under, and whether it may begin. */
export interface Throttle {
  /** Null for none, which is what most deliveries have. */
  bucketsOf(job: Job, policy: EndpointPolicy): readonly Bucket[] | null;
  /** Takes up to so many tokens from all of the buckets alike. */
  take(buckets: readonly Bucket[], wanted: number): Promise<Taken>;
  /** Keeps what was taken and is not used yet. */
  putBack(buckets: readonly Bucket[], tokens: number): void;
  readonly limitsOfTenant: (tenantId: string) => TenantLimits;
}

const NO_LIMITS: TenantLimits = {};

export function createThrottle(options: {
  readonly tenantLimits: TenantLimitsOption;
  readonly gate: RateGate;
  readonly logger: Logger;
}): Throttle {
  const { tenantLimits, gate, logger } = options;

  const asked = (tenantId: string): TenantLimits => {
    if (typeof tenantLimits !== "function") return tenantLimits;
    try {
      const limits = tenantLimits(tenantId) ?? NO_LIMITS;
      const [issue] = limitIssues(limits);
      if (issue === undefined) return limits;
      logger.error({ tenantId, issue }, "tenantLimits answered what is no limit: the tenant has none");
    } catch (error) {
      logger.error({ err: error, tenantId }, "tenantLimits threw: the tenant has no limits");
    }
    return NO_LIMITS;
  };

  return {
    limitsOfTenant: asked,
    bucketsOf(job, policy) {
      const ofTenant = asked(job.tenantId).rateLimit;
      const ofEndpoint = job.recipient.kind === "endpoint" ? policy.rateLimit : undefined;
      if (ofTenant === undefined && ofEndpoint === undefined) return null;
      const buckets: Bucket[] = [];
      if (ofEndpoint !== undefined && job.recipient.kind === "endpoint") {
        buckets.push({ ...ofEndpoint, key: `endpoint ${job.recipient.endpointId}` });
      }
      if (ofTenant !== undefined) buckets.push({ ...ofTenant, key: `tenant ${job.tenantId}` });
      return buckets;
    },
    async take(buckets, wanted) {
      const taken: Bucket[] = [];
      let granted = wanted;
      let nextAtMs = 0;
      for (const bucket of buckets) {
        const answer = await gate.take(bucket, granted);
        for (const earlier of taken) gate.putBack(earlier, granted - answer.granted);
        taken.push(bucket);
        granted = answer.granted;
        if (granted < wanted) nextAtMs = Math.max(nextAtMs, answer.nextAtMs);
        if (granted === 0) break;
      }
      return { granted, nextAtMs };
    },
    putBack(buckets, tokens) {
      for (const bucket of buckets) gate.putBack(bucket, tokens);
    },
  };
}
