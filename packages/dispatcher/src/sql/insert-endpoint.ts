import type { SqlQuery } from "@hookline/core";
import { ENDPOINT_COLUMNS, type EndpointRow } from "./endpoint-row.js";

export interface NewEndpointRow {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string | null;
  readonly destination: string;
  readonly target: string;
  readonly secrets: string;
  readonly events: readonly string[];
  readonly policy: string;
  readonly active: boolean;
  readonly contactAddress: string | null;
  readonly disabledReason: string | null;
  readonly description: string | null;
  readonly metadata: string | null;
  readonly condition: string | null;
  readonly verification: "pending" | null;
}

/** No row when the tenant has an endpoint of that name. */
export function insertEndpoint(schema: string) {
  const text = `
    insert into "${schema}".endpoints
      (id, tenant_id, name, destination, target, secrets, events, policy, active, disabled_at, created_at, updated_at,
       contact_address, disabled_reason, description, metadata, condition, verification)
    values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, string_to_array($7::text, ' '), $8::text,
      $9::boolean, case when $9::boolean then null else $10::text::timestamptz end,
      $10::text::timestamptz, $10::text::timestamptz, $11::text, $12::text, $13::text, $14::text, $15::text, $16::text)
    on conflict do nothing
    returning ${ENDPOINT_COLUMNS}`;

  return (query: SqlQuery, row: NewEndpointRow, now: string) =>
    query<EndpointRow>(text, [
      row.id,
      row.tenantId,
      row.name,
      row.destination,
      row.target,
      row.secrets,
      row.events.join(" "),
      row.policy,
      row.active,
      now,
      row.contactAddress,
      row.disabledReason,
      row.description,
      row.metadata,
      row.condition,
      row.verification,
    ]);
}
