import type { SqlQuery } from "@hookline/core";

export interface StoredAttemptRow {
  readonly attempt: number;
  readonly started_at: Date;
  readonly duration_ms: number;
  readonly outcome: "delivered" | "retry" | "dead" | "expired";
  readonly status: number | null;
  readonly error_code: string | null;
  readonly reason: string | null;
  readonly request_headers: string | null;
  readonly response_body: string | null;
  readonly phases: string | null;
  readonly next_at: Date | null;
}

/** The attempts of one delivery, first to last. */
export function listAttempts(schema: string) {
  const text = `
    select attempt, started_at, duration_ms, outcome, status, error_code, reason, request_headers, response_body,
      phases, next_at
    from "${schema}".attempts where delivery_id = $1::text and tenant_id = $2::text order by attempt`;

  return (query: SqlQuery, delivery: { readonly tenantId: string; readonly id: string }) =>
    query<StoredAttemptRow>(text, [delivery.id, delivery.tenantId]);
}
