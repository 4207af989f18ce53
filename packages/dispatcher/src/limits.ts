import type { FieldIssue } from "./errors.js";
import { type FieldsOf, unknownFields } from "./unknown-fields.js";

/**
 * A bucket that holds `count` and fills evenly within `perMs`: after a pause `count` attempts may begin at once, and
 * in the long run no more than `count` in each `perMs`. It holds for all worker processes together.
 */
export interface RateLimit {
  /** 1 to 1,000,000. */
  readonly count: number;
  /** 1 to 86,400,000 (a day). */
  readonly perMs: number;
}

/** What a tenant's endpoints and direct sends may take together. */
export interface TenantLimits {
  /** Attempts at a time in one worker process. */
  readonly maxInFlight?: number;
  readonly rateLimit?: RateLimit;
}

/** The same limits for each tenant, or what each one may have; called for each delivery, so let it be quick. */
export type TenantLimitsOption = TenantLimits | ((tenantId: string) => TenantLimits | undefined);

const RATE_LIMIT: FieldsOf<RateLimit> = { count: true, perMs: true };
const MAX_COUNT = 1_000_000;
const DAY_MS = 86_400_000;

/** What is wrong with the limits of an endpoint or a tenant. */
export function limitIssues(limits: TenantLimits): readonly FieldIssue[] {
  if (typeof limits !== "object" || limits === null) return [{ path: "", message: "is an object" }];
  const { maxInFlight, rateLimit } = limits;
  const issues: FieldIssue[] = [];
  if (maxInFlight !== undefined && !isWholeWithin(maxInFlight, MAX_COUNT)) {
    issues.push({ path: "maxInFlight", message: `is a whole number from 1 to ${MAX_COUNT}` });
  }
  if (rateLimit === undefined) return issues;
  if (typeof rateLimit !== "object" || rateLimit === null) {
    return [...issues, { path: "rateLimit", message: "is { count, perMs }" }];
  }
  if (!isWholeWithin(rateLimit.count, MAX_COUNT)) {
    issues.push({ path: "rateLimit.count", message: `is a whole number from 1 to ${MAX_COUNT}` });
  }
  if (!isWholeWithin(rateLimit.perMs, DAY_MS)) {
    issues.push({ path: "rateLimit.perMs", message: `is a whole number from 1 to ${DAY_MS}` });
  }
  return [...issues, ...unknownFields(rateLimit, RATE_LIMIT, "rateLimit")];
}

function isWholeWithin(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
