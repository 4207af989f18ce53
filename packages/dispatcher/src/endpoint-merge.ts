import type { EndpointChanges } from "./endpoint.js";
import type { EndpointRow } from "./sql/endpoint-row.js";

/** As it is stored; null when it stays. */
export function changedPolicy(known: EndpointRow, { policy, policyChanges }: EndpointChanges): string | null {
  if (policyChanges !== undefined) return JSON.stringify({ ...JSON.parse(known.policy), ...policyChanges });
  return policy === undefined ? null : JSON.stringify(policy);
}

/** A target with what is given; null takes a field away. */
export function withFields(target: unknown, fields: object): object {
  const merged = Object.entries({ ...(target as object), ...fields });
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined));
}
