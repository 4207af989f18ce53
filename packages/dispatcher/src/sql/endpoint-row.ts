/** An endpoint as it is stored. Target and secrets are encrypted. */
export interface EndpointRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly key: string | null;
  readonly name: string | null;
  readonly destination: string;
  readonly target: string;
  readonly secrets: string;
  readonly events: readonly string[];
  readonly policy: string;
  readonly active: boolean;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
  readonly description: string | null;
  /** JSON text. */
  readonly metadata: string | null;
  /** JSON text. */
  readonly condition: string | null;
  /** Null: the URL needs no verification. */
  readonly verification: "pending" | "verified" | null;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly contact_address: string | null;
  readonly failures: number;
  readonly outages: number;
  readonly openings: number;
  readonly failing_since: Date | null;
  readonly circuit_until: Date | null;
  readonly held_until: Date | null;
}

export const ENDPOINT_COLUMNS = `id, tenant_id, key, name, destination, target, secrets, events, policy, active,
  disabled_at, disabled_reason, version, created_at, updated_at, contact_address, failures, outages, openings, failing_since,
  circuit_until, held_until, description, metadata, condition, verification`;
