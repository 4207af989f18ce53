/** Which deliveries a recovery puts back: `all` are finished and held ones alike. */
export type RecoverableStatus = "dead" | "held" | "delivered" | "all";

/** What `recover` takes. */
export interface RecoveryInput {
  readonly tenantId: string;
  readonly endpointId: string;
  /** Deliveries made at this time or later. */
  readonly since: Date;
  /** Deliveries made before this time; until now when absent. */
  readonly until?: Date;
  /** Default `dead`. */
  readonly status?: RecoverableStatus;
}

/**
 * - `running`: a worker goes on with it, any worker, also after a crash
 * - `completed`: every delivery that was asked for has been looked at
 * - `cancelled`: by `recoveries.cancel`, or because its endpoint was deleted; what it put back stays in the queue
 */
export type RecoveryStatus = "running" | "completed" | "cancelled";

/** A task that puts an endpoint's deliveries back in the queue, each at most once, however many there are. */
export interface Recovery {
  readonly id: string;
  readonly tenantId: string;
  readonly endpointId: string;
  readonly status: RecoveryStatus;
  readonly since: Date;
  readonly until: Date;
  /** Which deliveries were asked for. */
  readonly of: RecoverableStatus;
  /** Deliveries found so far. */
  readonly matched: number;
  /** Of which were put in the queue; the others were being attempted already, or are held. */
  readonly requeued: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}
