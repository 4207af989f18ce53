import type { Database } from "@hookline/postgres";
import type { ChaosProcess } from "./chaos-process.js";
import type { Reception } from "./chaos-receiver.js";
import { countDuplicates, type Duplicates } from "./duplicates.js";
import { type RecordedAttempt, recordedAttempts, type TakenLease, takenLeases } from "./lease-audit.js";
import { findDisorder, type Order } from "./order-kept.js";

/** All that is known after a run. */
export interface Evidence {
  readonly database: Database;
  readonly schema: string;
  readonly receptions: readonly Reception[];
  readonly processes: readonly ChaosProcess[];
  readonly databaseKilledAtMs: readonly number[];
  readonly ordering: Order["policy"];
}

/** What the oracle says. */
export interface Verdict {
  readonly events: number;
  readonly requests: number;
  /** Events whose transaction was rolled back, as far as a process lived to say so. */
  readonly rolledBack: number;
  readonly duplicates: Duplicates;
  /** Events with an ordering key that were sent once more after a later one; only a lease that ran out may do that. */
  readonly lateRepeats: number;
  readonly faults: Faults;
}

/** Events by their number, and attempts; all of these lists have to be empty. */
export interface Faults {
  /** Committed, and never accepted by the receiver. */
  readonly lost: readonly number[];
  /** Said to be committed, and not in the database. */
  readonly vanished: readonly number[];
  /** Rolled back, and stored or received all the same. */
  readonly fromRolledBack: readonly number[];
  /** Received, and not in the database. */
  readonly invented: readonly number[];
  /** Stored without the row that its transaction wrote beside it, or the other way round. */
  readonly halfCommitted: readonly number[];
  /** Received without a valid signature. */
  readonly unverified: readonly number[];
  /** Not recorded as delivered, or more than once. */
  readonly notRecordedOnce: readonly number[];
  /** Sent in another order than that of their key: see {@link findDisorder}. */
  readonly inversions: readonly number[];
  /** Recorded by a worker that did not hold the lease. */
  readonly unfenced: readonly { readonly attempt: RecordedAttempt; readonly taken: readonly TakenLease[] }[];
}

export interface StoredEvent {
  readonly id: string;
  readonly n: number;
  readonly isRolledBack: boolean;
  readonly hasOrder: boolean;
  readonly deliveryId: string;
}

/** Compares what the database holds and what the processes said with what the receiver got. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { database, schema, receptions, processes } = evidence;
  const events = await storedEvents(database, schema);
  const orders = await database.query<{ n: number }>(`select n from ${schema}.orders`);
  const taken = groupBy(await takenLeases(database, schema), ({ deliveryId }) => deliveryId);
  const attempts = await recordedAttempts(database, schema);
  const recorded = groupBy(attempts, ({ deliveryId }) => deliveryId);
  const stored = new Set(events.map(({ n }) => n));
  const withOrder = new Set(orders.map(({ n }) => n));
  const accepted = new Set(receptions.filter(({ isAccepted }) => isAccepted).map(({ n }) => n));
  const committed = processes.flatMap((process) => process.committed);
  const rolledBack = processes.flatMap((process) => process.rolledBack);
  const isUnanswered = ({ deliveryId }: StoredEvent) =>
    recorded.get(deliveryId)?.some(({ outcome, status }) => outcome === "retry" && status === null) === true;
  const unanswered = new Set(events.filter(isUnanswered).map(({ n }) => n));
  const { inversions, lateRepeats } = findDisorder(receptions, { policy: evidence.ordering, unanswered });
  return {
    events: stored.size,
    requests: receptions.length,
    rolledBack: rolledBack.length,
    duplicates: countDuplicates({ ...evidence, events, taken, recorded }),
    lateRepeats: lateRepeats.length,
    faults: {
      lost: [...stored].filter((n) => !accepted.has(n)),
      vanished: committed.filter((n) => !stored.has(n)),
      fromRolledBack: [
        ...[...events, ...receptions].filter(({ isRolledBack }) => isRolledBack).map(({ n }) => n),
        ...rolledBack.filter((n) => stored.has(n)),
      ],
      invented: receptions.filter(({ n }) => !stored.has(n)).map(({ n }) => n),
      halfCommitted: [
        ...events.filter(({ n, hasOrder }) => hasOrder !== withOrder.has(n)).map(({ n }) => n),
        ...[...withOrder].filter((n) => !stored.has(n)),
      ],
      unverified: receptions.filter(({ verified }) => !verified).map(({ n }) => n),
      notRecordedOnce: events
        .filter(({ deliveryId }) => deliveredTimes(recorded.get(deliveryId)) !== 1)
        .map(({ n }) => n),
      inversions,
      unfenced: attempts
        .filter((attempt) => !heldLease(attempt, taken.get(attempt.deliveryId) ?? []))
        .map((attempt) => ({ attempt, taken: taken.get(attempt.deliveryId) ?? [] })),
    },
  };
}

async function storedEvents(database: Database, schema: string): Promise<readonly StoredEvent[]> {
  const rows = await database.query<{ id: string; body: string; delivery_id: string | null }>(
    `select event.id, event.body, (select min(delivery_id) from ${schema}.attempts where event_id = event.id)
     as delivery_id from ${schema}.events event order by event.id`,
  );
  return rows.map(({ id, body, delivery_id }) => ({
    ...(JSON.parse(body) as Pick<StoredEvent, "n" | "isRolledBack" | "hasOrder">),
    id,
    deliveryId: delivery_id ?? "",
  }));
}

function deliveredTimes(attempts: readonly RecordedAttempt[] = []): number {
  return attempts.filter(({ outcome }) => outcome === "delivered").length;
}

/** Whether the one who recorded had taken that lease, and nobody a later one before. */
function heldLease(attempt: RecordedAttempt, taken: readonly TakenLease[]): boolean {
  const lease = taken.find(({ leaseNo }) => leaseNo === attempt.leaseNo);
  const isTakenOver = taken.some(({ leaseNo, atMs }) => leaseNo > attempt.leaseNo && atMs < attempt.atMs);
  return lease?.owner === attempt.owner && !isTakenOver;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
