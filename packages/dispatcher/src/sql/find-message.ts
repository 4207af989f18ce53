import type { SqlQuery } from "@hookline/core";

export interface KnownMessageRow {
  readonly id: string;
  readonly destination: string;
  /** Encrypted; empty when it was expunged. */
  readonly target: string;
  readonly body: string;
  /** Milliseconds since 1970: drivers of callers read a time each in their own way. */
  readonly stored_at_ms: number;
  readonly expunged: boolean;
}

/** The direct send that holds an idempotency key. */
export function findMessage(schema: string) {
  const text = `
    select id, destination, target, body, (extract(epoch from stored_at) * 1000)::float8 as stored_at_ms,
      expunged_at is not null as expunged
    from "${schema}".messages
    where tenant_id = $1::text and idempotency_key = $2::text`;

  return (query: SqlQuery, tenantId: string, idempotencyKey: string) =>
    query<KnownMessageRow>(text, [tenantId, idempotencyKey]);
}
