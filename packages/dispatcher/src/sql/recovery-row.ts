import type { RecoverableStatus, RecoveryStatus } from "../recovery.js";

export interface RecoveryRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly endpoint_id: string;
  readonly of_status: RecoverableStatus;
  readonly since: Date;
  readonly until: Date;
  readonly status: RecoveryStatus;
  /** The last delivery that is behind it, and what its last one sorts before. */
  readonly place: string;
  readonly place_end: string;
  readonly matched: number;
  readonly requeued: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly ended_at: Date | null;
}

export const RECOVERY_COLUMNS = `id, tenant_id, endpoint_id, of_status, since, until, status, place, place_end, matched,
  requeued, created_at, updated_at, ended_at`;
