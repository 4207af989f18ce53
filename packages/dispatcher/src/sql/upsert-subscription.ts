import type { SqlQuery } from "@hookline/core";

export interface SubscriptionRow {
  readonly id: string;
  readonly tenantId: string;
  readonly key: string;
  readonly destination: string;
  /** Encrypted for `id`. */
  readonly target: string;
  readonly secrets: string;
  readonly events: readonly string[];
  readonly policy: string;
}

/** Makes or finds the endpoint of a key. One that is found stays as it is: its target is encrypted for its own id. */
export function upsertSubscription(schema: string) {
  const text = `
    insert into "${schema}".endpoints as endpoint
      (id, tenant_id, key, destination, target, secrets, events, policy, active, created_at, updated_at)
    values ($1::text, $2::text, $3::text, $4::text, $9::text, $5::text, string_to_array($6::text, ' '), $7::text, true,
      $8::text::timestamptz, $8::text::timestamptz)
    on conflict (tenant_id, key) where key is not null do update set key = excluded.key
    returning id, target, destination, events, active, disabled_at`;

  return (query: SqlQuery, row: SubscriptionRow, now: string) =>
    query<{
      readonly id: string;
      readonly target: string;
      readonly destination: string;
      readonly events: readonly string[];
    }>(text, [
      row.id,
      row.tenantId,
      row.key,
      row.destination,
      row.secrets,
      row.events.join(" "),
      row.policy,
      now,
      row.target,
    ]);
}
