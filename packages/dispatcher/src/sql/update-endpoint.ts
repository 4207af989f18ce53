import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

/** What changes; null leaves a column as it is. */
export interface EndpointChangesRow {
  /** Empty takes it away. */
  readonly name: string | null;
  readonly destination: string | null;
  readonly target: string | null;
  readonly events: readonly string[] | null;
  readonly policy: string | null;
  readonly active: boolean | null;
  /** Empty takes it away. */
  readonly contactAddress: string | null;
  /** Why it becomes inactive; absent when its owner makes it so. */
  readonly disabledReason?: string;
  /** A reason that gives way to another one, or to none. */
  readonly insteadOf?: string;
  /** Empty clears it, as with the next two. */
  readonly description?: string | null;
  readonly metadata?: string | null;
  readonly condition?: string | null;
  readonly verification?: "pending" | "verified" | null;
}

/** An endpoint of which nothing is known. */
const HEALTHY = [
  ["failures", "0"],
  ["outages", "0"],
  ["openings", "0"],
  ["failing_since", "null"],
  ["circuit_until", "null"],
  ["held_until", "null"],
] as const;

/**
 * Changes an endpoint. What is held for it is left as it is: that may be much. With another target, or enabled, it
 * starts as a healthy one.
 */
export function updateEndpoint(schema: string) {
  const becomesHealthy = HEALTHY.map(
    ([column, value]) => `${column} = case when $8::boolean or $5::text is not null then ${value} else ${column} end`,
  ).join(",\n      ");
  const text = `
    update "${schema}".endpoints set
      name = nullif(coalesce($3::text, name), ''),
      destination = coalesce($4::text, destination),
      target = coalesce($5::text, target),
      events = coalesce(string_to_array($6::text, ' '), events),
      policy = coalesce($7::text, policy),
      active = coalesce($8::boolean, active),
      disabled_at = case when $8::boolean then null when $8::boolean = false and active
        then $9::text::timestamptz else disabled_at end,
      disabled_reason = case when $8::boolean then null
        when $8::boolean = false and (active or disabled_reason = $17::text) then $12::text else disabled_reason end,
      contact_address = nullif(coalesce($11::text, contact_address), ''),
      description = nullif(coalesce($13::text, description), ''),
      metadata = nullif(coalesce($14::text, metadata), ''),
      condition = nullif(coalesce($15::text, condition), ''),
      verification = coalesce($16::text, verification),
      ${becomesHealthy},
      version = version + 1,
      updated_at = $9::text::timestamptz
    where id = $1::text and tenant_id = $2::text and version = coalesce($10::integer, version)
    returning ${ENDPOINT_COLUMNS}`;

  return (
    query: SqlQuery,
    id: { readonly tenantId: string; readonly id: string },
    changes: EndpointChangesRow & {
      readonly now: string;
      /** Gives no row when the endpoint has another version by now; null takes any. */
      readonly onlyVersion: number | null;
    },
  ) =>
    query<EndpointRow>(text, [
      id.id,
      id.tenantId,
      changes.name,
      changes.destination,
      changes.target,
      changes.events === null ? null : changes.events.join(" "),
      changes.policy,
      changes.active,
      changes.now,
      changes.onlyVersion,
      changes.contactAddress,
      changes.disabledReason ?? null,
      changes.description ?? null,
      changes.metadata ?? null,
      changes.condition ?? null,
      changes.verification ?? null,
      changes.insteadOf ?? null,
    ]);
}
